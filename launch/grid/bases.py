"""Where base files are found."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from launch.config_folders import config_folders
from pcm.config.names import nearest_file
from pcm.errors import Fault

FOLDERS = {
    "model": "models",
    "data_train": "data",
    "data_val": "data",
    "trainer": "trainer",
}
"""Sections of an experiment's config that are files, and where these live in a config folder."""


def places(name: str, section: str, beside: Path) -> list[Path]:
    """Every path at which the file `name` of `section` may be, first to last."""
    asked = Path(name).expanduser()
    folders = [root / FOLDERS[section] for root in config_folders(beside)]
    return list(dict.fromkeys(folder / asked for folder in (beside, *folders)))


def find_file(name: str, section: str, beside: Path) -> Path | Fault:
    """The path of a base file; or, where there is none, what to tell the user."""
    candidates = [_from_here(path) for path in places(name, section, beside)]
    found = next((path for path in candidates if is_there(path)), None)
    return found or _missing(name, candidates)


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder, also for a name that none can have."""
    try:
        return path.exists()
    except OSError:
        return False


def _missing(name: str, candidates: Sequence[Path]) -> Fault:
    nearest = nearest_file(name, sorted(_yaml_names(candidates)))
    return Fault(
        "no such file",
        found=name,
        expected="at one of " + ", ".join(map(str, candidates)),
        hint=None if nearest is None else f"did you mean '{nearest}'?",
    )


def _yaml_names(candidates: Sequence[Path]) -> Iterator[str]:
    for folder in {path.parent for path in candidates}:
        if folder.is_dir():
            yield from (path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))


def _from_here(path: Path) -> Path:
    """The path as a person in the working directory writes it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
