"""Writing a small project into a folder."""

from enum import StrEnum
from pathlib import Path

from pcm.errors import RefusedError

TEMPLATES = Path(__file__).parent / "templates"

SUFFIX = ".template"
"""Keeps what is copied from being taken for code of pcm."""


class Kind(StrEnum):
    """What trains in it."""

    CLASS = "class"
    SCRIPT = "script"
    CHAIN = "chain"


def begin_project(kind: Kind, folder: Path) -> list[Path]:
    """Write the files of a project, all or none; the folder may be there already.

    Returns:
        The files.

    Raises:
        RefusedError: one of them is there, or the folder can't be written.
    """
    sources = sorted((TEMPLATES / kind).glob(f"*{SUFFIX}"))
    targets = [folder / source.name.removesuffix(SUFFIX) for source in sources]
    there = [target.name for target in targets if target.exists() or target.is_symlink()]
    if there:
        raise RefusedError(
            f"{folder} has {', '.join(there)} already, and nothing is overwritten",
            hint="name another folder, or move them away",
        )
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"{folder} is a file", hint="name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, target in zip(sources, targets, strict=True):
            with target.open("x", encoding="utf-8") as stream:
                stream.write(source.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"can't write to {folder}: {error.strerror or error}"
        raise RefusedError(problem, hint="name another folder") from error
    return targets
