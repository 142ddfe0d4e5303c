"""Pictures of each run's last validation, as far as run directories have PNGs."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch.store import Experiment

ROOM = 4_000_000
"""Bytes of pictures in a page; what is left out is counted."""


def pictures_of(experiments: Sequence[Experiment]) -> dict[str, Any]:
    """`kinds`: by log path, the runs' newest pictures as data URLs; `left_out`: how many are not.

    Args:
        experiments: those come first that matter most, since room is limited.
    """
    kinds: dict[str, dict[str, str]] = {}
    room, left_out = ROOM, 0
    for experiment in experiments:
        for kind, path in _newest(experiment.run_dir.plots).items():
            data = _content(path)
            if data is None or len(data) > room:
                left_out += 1
                continue
            room -= len(data)
            url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
            kinds.setdefault(kind, {})[experiment.id] = url
    return {"kinds": kinds, "left_out": left_out}


def _newest(folder: Path) -> dict[str, Path]:
    """The newest picture of each folder below, by the folder's path."""
    newest: dict[str, tuple[float, Path]] = {}
    for path in folder.rglob("*.png") if folder.is_dir() else ():
        kind = path.parent.relative_to(folder).as_posix()
        # A file that has just gone was not the newest.
        age = path.stat().st_mtime if path.exists() else 0.0
        if kind not in newest or age > newest[kind][0]:
            newest[kind] = (age, path)
    return {kind: path for kind, (_, path) in sorted(newest.items())}


def _content(path: Path) -> bytes | None:
    """None for what is gone or is no picture."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if data.startswith(b"\x89PNG\r\n\x1a\n") else None
