"""Files that hold nothing readable: what reads goes on without them, and the command tells of them.

Like Python's warnings, what is noticed is told beside the result: hundreds of small files are read
for one table, and none of the functions on the way has anything to say about one of them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from pcm.errors import RefusedError
from pcm.run_dir.typed_json import Damaged

R = TypeVar("R")

Noticed = dict[str, Damaged]
"""By their places, so that each is told once."""

SHOWN = 20
"""So many are told one by one."""

_REMEDY = "put it back from a copy, or move it away"

_REMEDIES = (
    (r"points\.jsonl", "launch its grid again: what it had is frozen anew, and what has run stays"),
    (r"(sweep|base)\.json", "put it back from a copy, or launch its grid again"),
    (r"unsubmitted\.json", "launch its grid again, which submits what Slurm has not got"),
    (r"(intent|outcome)\.json", "`squeue` shows whether its jobs are there; then move it away"),
    (r"experiment\.json", "put it back from a copy, or move its folder away to start anew"),
    (r".*\.ckpt\.json", "an older checkpoint is taken; move this one away with its .ckpt"),
    (r".*\.sif\.json", "build or copy the image again"),
)
"""What to try, by the name of the file."""

_noticed: ContextVar[Noticed | None] = ContextVar("noticed", default=None)


class DamagedError(RefusedError):
    """What was asked for needs a file that is damaged."""

    def __init__(self, damaged: Damaged) -> None:
        super().__init__(str(damaged), remedy(damaged))
        self.damaged = damaged


@contextmanager
def noticed_damage() -> Iterator[Noticed]:
    """What is noticed in the block; the blocks around it hear of it as well."""
    outer, found = _noticed.get(), Noticed()
    token = _noticed.set(found)
    try:
        yield found
    finally:
        _noticed.reset(token)
        if outer is not None:
            outer.update(found)


def damage_so_far() -> list[Damaged]:
    """What was noticed since the innermost `noticed_damage` began."""
    return list((_noticed.get() or {}).values())


def notice(damaged: Damaged) -> None:
    """Have the command tell of it."""
    found = _noticed.get()
    if found is not None:
        found[damaged.place] = damaged


def whole(found: R | Damaged | None) -> R | None:
    """What was read; None where there was nothing, or nothing whole, which is noticed."""
    if isinstance(found, Damaged):
        notice(found)
        return None
    return found


def required(found: R | Damaged | None, path: Path) -> R:
    """What was read.

    Raises:
        DamagedError: there is nothing, or nothing whole.
    """
    if found is None:
        raise DamagedError(Damaged(path, "it is missing"))
    if isinstance(found, Damaged):
        raise DamagedError(found)
    return found


@contextmanager
def told_damage(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell at the end of the block, however it ends, what was noticed in it."""
    with noticed_damage() as found:
        try:
            yield
        finally:
            for each in list(found.values())[:SHOWN]:
                tell(line_of(each))
            if len(found) > SHOWN:
                tell(f"damaged: {len(found) - SHOWN:,} more; `pcm status --json` lists them")


def remedy(damaged: Damaged) -> str:
    """What a person may try."""
    name = damaged.path.name
    fitting = (text for pattern, text in _REMEDIES if re.fullmatch(pattern, name))
    return next(fitting, _REMEDY)


def line_of(damaged: Damaged) -> str:
    """One line for a person."""
    return f"damaged: {damaged.place}: {damaged.reason}; try: {remedy(damaged)}"
