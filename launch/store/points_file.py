"""`points.jsonl`: a line a point; one that is damaged doesn't hide the others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from launch.damage import DamagedError, notice
from launch.store.host_records import parse_point
from pcm.run_dir.typed_json import Damaged, unreadable

_ID = re.compile(rb'\s*\{\s*"id": "([0-9A-Za-z]+)"')
"""How a line begins; of a damaged one, often what is left."""


def read_points(path: Path) -> Iterator[dict[str, Any]]:
    """The points in a file; what is damaged is noticed and left out."""
    for number, line in _lines(path):
        try:
            yield parse_point(line)
        except ValueError as error:
            notice(_damaged(path, number, line, error))


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
