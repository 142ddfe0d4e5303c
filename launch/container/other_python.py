"""What another Python than this one could import; nothing is imported to find out."""

import shutil
import subprocess
from collections.abc import Sequence

MODULES_PROBE = """
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
for name in sys.argv[1:]:
    top, *rest = name.split(".")
    spec = find_spec(top)
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            break
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    if spec is None:
        print(name)
"""
"""Prints those of its arguments that are no modules; imports none of them."""

_PATIENCE_S = 60.0
"""An environment on a slow file system."""


def modules_missing_in(python: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Those of some modules that a Python of this machine lacks; none where it can't be asked.

    A command of several words may be anything, so that it is not run for this.
    """
    if len(python) > 1 or shutil.which(python[0]) is None:
        return ()
    try:
        done = subprocess.run(
            [*python, "-c", MODULES_PROBE, *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    missing = done.stdout.split() if done.returncode == 0 else []
    return tuple(name for name in names if name in missing)
