"""Whether the program of a script is here; it may be on the nodes, or in the image, alone."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PYTHONS = ("python", "python3")
"""Found by whoever runs them: the Python that trains."""


def missing_program(run: Mapping[str, Any]) -> str | None:
    """What to tell of a command whose program is not on this machine; None if it is."""
    program = str(run["command"][0])
    if program in PYTHONS or "{" in program or shutil.which(program) is not None:
        return None
    where = Path.cwd() if "/" in program else "your PATH"
    return f"run.command: no program {program!r} in {where}; it has to be where the script runs"
