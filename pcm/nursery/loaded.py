"""What a process has loaded: modules, threads, GPUs; and whether it may still be forked."""

import importlib
import site
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from pcm.garbage_collection import no_garbage_collection
from pcm.lean_imports import lean_imports
from pcm.nursery.surroundings import first_change, surroundings

TRAINING = ("pcm.rank.ending", "pcm.training.run", "pcm.chain", "pcm.data")
"""What every training needs, and most of it slow; the end comes first, as in a fresh process."""


@no_garbage_collection()
def load(preload: Sequence[str]) -> str | None:
    """Load what training needs, then a user's own modules; why not to fork after that, if so."""
    python_threads = threading.active_count()
    for name in TRAINING:
        try:
            with lean_imports():
                importlib.import_module(name)
        except Exception as error:
            return f"{name} can't be imported here: {type(error).__name__}: {error}"
    # Libraries of linear algebra may have threads now, and stop them themselves at a fork.
    threads = _count_threads()
    for name in preload:
        before = surroundings()
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            return f"{name} of `preload` can't be imported: {type(error).__name__}: {error}"
        if (change := first_change(before)) is not None:
            return f"importing {name} {change}, which all that are forked would have"
    if threading.active_count() > python_threads or _count_threads() > threads:
        return f"importing {', '.join(preload) or 'torch'} started threads, which a fork ends"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return f"importing {', '.join(preload)} used a GPU, which a fork can't go on with"
    return None


class LoadedCode:
    """The files that modules were loaded from and that somebody may be editing."""

    def __init__(self) -> None:
        self._stamps = {file: _stamp(file) for file in _own_files()}

    def edited(self) -> str | None:
        """One that isn't any more what was loaded, or was; None if all of them are."""
        changed = (file for file, stamp in self._stamps.items() if _stamp(file) != stamp)
        return next(changed, None)


def _count_threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _own_files() -> Iterator[str]:
    """Files of modules but for those of Python, and of installed packages other than pcm."""
    installed = (sysconfig.get_path("stdlib"), *site.getsitepackages(), site.getusersitepackages())
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None:
            continue
        is_ours = name.partition(".")[0] in ("pcm", "launch")
        if is_ours or not any(Path(file).is_relative_to(folder) for folder in installed):
            yield file


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
