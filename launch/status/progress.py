"""How far training is, as it said last."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from launch.damage import whole
from launch.status.state import Line
from launch.store import RunsRoot
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import ProgressRecord
from pcm.run_dir.typed_json import read

_PROGRESS = AttemptDir(Path()).progress.name


def read_progress(files: AttemptDir) -> ProgressRecord | None:
    """How far an attempt is; None before its first word."""
    return read_progress_in(str(files.path))


def read_progress_in(attempt: str) -> ProgressRecord | None:
    """As `read_progress`, by the attempt's folder."""
    return whole(read(ProgressRecord, f"{attempt}/{_PROGRESS}"))


def with_progress(root: RunsRoot, lines: Iterable[Line]) -> list[Line]:
    """Lines of a look that has left it out."""
    return [_with_progress(root, line) for line in lines]


def _with_progress(root: RunsRoot, line: Line) -> Line:
    status = line.status
    if status.attempt == 0:
        return line
    files = root.run_dir(line.id).attempt(status.attempt)
    return replace(line, status=replace(status, progress=read_progress(files)))
