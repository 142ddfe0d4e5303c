"""`points.jsonl`: a line a point; one that is damaged doesn't hide the others."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from launch.damage import DamagedError, notice
from launch.store.host_records import parse_point, parse_points
from pcm.run_dir.typed_json import Damaged, unreadable

_ID = re.compile(rb'\s*\{\s*"id": "([0-9A-Za-z]+)"')
"""How a line begins; of a damaged one, often what is left."""


def read_points(path: Path, count: int | None = None) -> Iterator[dict[str, Any]]:
    """The points in a file; what is damaged is noticed and left out.

    Args:
        count: how many there were; None if that isn't known.
    """
    lines = list(_lines(path))
    # Of one that is cut within a line, that line tells.
    is_cut = count is not None and len(lines) < count
    if is_cut and lines and lines[-1][1].endswith(b"\n"):
        notice(Damaged(path, f"it ends after {len(lines):,} of {count:,} experiments"))
    whole = _all_at_once([line for _, line in lines])
    if whole is not None:
        yield from whole
        return
    for number, line in lines:
        try:
            yield parse_point(line)
        except ValueError as error:
            notice(_damaged(path, number, line, error))


def _all_at_once(lines: Sequence[bytes]) -> list[dict[str, Any]] | None:
    """The points in lines, in half the time that it takes to parse each; None if one is damaged."""
    try:
        return parse_points(lines)
    except ValueError:
        return None


def find_point(path: Path, experiment_id: str) -> dict[str, Any] | None:
    """The point of one experiment, found without parsing the others; None if it isn't there.

    Raises:
        DamagedError: it can't be read.
    """
    start = json.dumps({"id": experiment_id})[:-1].encode()
    found = ((number, line) for number, line in _lines(path) if line.startswith(start))
    for number, line in found:
        try:
            return parse_point(line)
        except ValueError as error:
            raise DamagedError(_damaged(path, number, line, error)) from None
    return None


def damaged_points(path: Path, word: str) -> Iterator[Damaged]:
    """The damaged lines that an experiment's id or name may be in, or its beginning."""
    marks = [f'"{key}": "{word}'.encode() for key in ("id", "name")]
    for number, line in _lines(path):
        if word and any(mark in line for mark in marks):
            try:
                parse_point(line)
            except ValueError as error:
                yield _damaged(path, number, line, error)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines and their numbers; a file that can't be read is noticed."""
    try:
        with path.open("rb") as stream:
            lines = enumerate(stream, 1)
            yield next(lines, (1, b""))
            yield from lines
    except FileNotFoundError:
        notice(Damaged(path, "it is missing"))
    except OSError as error:
        notice(Damaged(path, unreadable(error)))


def _damaged(path: Path, number: int, line: bytes, error: ValueError) -> Damaged:
    known = _ID.match(line)
    whose = "" if known is None else f" (experiment {known[1].decode()})"
    return Damaged(path, f"{error}{whose}", number)
