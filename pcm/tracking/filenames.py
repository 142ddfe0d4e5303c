"""File names for names that people, configs or data made up."""

import hashlib
import re
from pathlib import PurePosixPath

_UNSAFE = re.compile(r"[^\w.=+-]+")
_LONGEST = 80
"""Characters of one part of a path; file systems take 255 bytes."""


def figure_file(name: str, step: int) -> PurePosixPath:
    """Where the picture `name` of `step` goes; slashes in `name` make folders.

    Different names never share a file: a part that had to be changed carries a hash.
    """
    *folders, last = [_safe(part) for part in name.split("/") if part] or ["figure"]
    return PurePosixPath(*folders, f"{last}-step={step}.png")


def _safe(part: str) -> str:
    safe = _UNSAFE.sub("_", part).lstrip(".")[:_LONGEST]
    if safe == part:
        return part
    return f"{safe}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"
