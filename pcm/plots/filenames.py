"""File names for names that people, configs or data made up."""

import hashlib
import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r"[^\w.=+-]+")
_LONGEST = 80
"""Characters of one part of a path."""

_MOST_BYTES = 200
"""Of it in UTF-8; file systems take 255, with a hash, a step and what is written aside."""


def figure_file(name: str, step: int) -> PurePosixPath:
    """Where the picture `name` of `step` goes; slashes in `name` make folders.

    Different names never share a file: a part that had to be changed carries a hash.
    """
    *folders, last = [_safe(part) for part in name.split("/") if part] or ["figure"]
    return PurePosixPath(*folders, f"{last}-step={step}.png")


def readable(name: str) -> str:
    """What a file's name may have of a name; not more of it than a file system takes."""
    characters = _UNSAFE.sub("_", name)[:_LONGEST]
    return characters.encode()[:_MOST_BYTES].decode(errors="ignore")


def _safe(part: str) -> str:
    safe = readable(part.lstrip("."))
    if safe == part:
        return part
    return f"{safe}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"
