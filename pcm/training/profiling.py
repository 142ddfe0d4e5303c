"""Lightning's profilers, with their files in the run directory."""

from pathlib import Path

from lightning.pytorch.profilers import (
    AdvancedProfiler,
    Profiler,
    PyTorchProfiler,
    SimpleProfiler,
)

_PROFILERS: dict[str, type[SimpleProfiler] | type[AdvancedProfiler] | type[PyTorchProfiler]] = {
    "simple": SimpleProfiler,
    "advanced": AdvancedProfiler,
    "pytorch": PyTorchProfiler,
}


def build_profiler(name: str, folder: Path) -> Profiler:
    """The profiler of that name; each attempt has a folder of its own, and each rank its files."""
    return _PROFILERS[name](dirpath=folder, filename="profile")
