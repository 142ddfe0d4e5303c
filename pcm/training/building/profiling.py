"""Lightning's profilers, with their files in the run directory."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch.profilers import (
    AdvancedProfiler,
    PassThroughProfiler,
    Profiler,
    PyTorchProfiler,
    SimpleProfiler,
)

_PROFILERS: dict[str, type[SimpleProfiler] | type[AdvancedProfiler] | type[PyTorchProfiler]] = {
    "simple": SimpleProfiler,
    "advanced": AdvancedProfiler,
    "pytorch": PyTorchProfiler,
}


class NoProfiler(PassThroughProfiler):
    """Lightning's stand-in for one, which costs less.

    It is asked for a context some twenty-six times a step, and makes a generator for each, which
    took 4 % of a small model's step.
    """

    _NOTHING = nullcontext()

    def profile(self, action_name: str) -> Any:  # noqa: ARG002
        """Nothing, the same for all."""
        return self._NOTHING


def build_profiler(name: str | None, folder: Path) -> Profiler:
    """The profiler of that name; each attempt has a folder of its own, and each rank its files."""
    if name is None:
        return NoProfiler()
    return _PROFILERS[name](dirpath=folder, filename="profile")
