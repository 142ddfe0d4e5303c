"""The arrays of validations whose pictures nobody has drawn yet, in `undrawn/`.

A file a validation and plot tree, written by training and deleted by whoever has drawn it. How
many wait is bounded: where validations come faster than their pictures, the oldest are left out.
"""

import hashlib
import json
import pickle
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pcm.plots.filenames import readable
from pcm.run_dir import atomic_writer

MOST = 8
"""Validations of one plot tree that wait."""

ROOM = 256 * 2**20
"""Bytes of all that wait; the newest of each tree may be larger."""

_NAME = re.compile(r"(?P<tree>.+)-step=(?P<step>\d+)\.pt")


@dataclass(frozen=True, slots=True)
class PlotData:
    """What a plot tree is drawn of.

    Attributes:
        log_path: the folder of the pictures, with slashes.
        step: training batches done at the validation.
        time: of the validation, in seconds since the epoch.
        top_node_name, top_node_cfg: the tree, as the config has it.
        data: by name, on the CPU.
    """

    log_path: str
    step: int
    time: float
    top_node_name: str
    top_node_cfg: dict[str, Any]
    data: dict[str, Tensor]


def keep(folder: Path, plots: PlotData) -> int:
    """Have them wait in a folder, which is made if need be.

    Returns:
        How many others had to leave it for them.
    """
    folder.mkdir(exist_ok=True)
    record = {**asdict(plots), "top_node_cfg": json.dumps(plots.top_node_cfg)}
    with atomic_writer(folder / _file_name(plots)) as stream:
        torch.save(record, stream)
    return _make_room(folder)


def waiting_in(folder: Path) -> list[Path]:
    """The files of those that wait, the earliest step first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_step)


def load(path: Path) -> PlotData:
    """What one file holds.

    Raises:
        OSError: it can't be read, or has left.
        ValueError: it is damaged.
    """
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
        return PlotData(**{**record, "top_node_cfg": json.loads(record["top_node_cfg"])})
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _file_name(plots: PlotData) -> str:
    """The same for the same step of the same tree, which a resumed attempt computes again."""
    tree = json.dumps([plots.log_path, plots.top_node_name, plots.top_node_cfg])
    digest = hashlib.sha256(tree.encode()).hexdigest()[:8]
    return f"{readable(plots.log_path)}-{digest}-step={plots.step}.pt"


def _make_room(folder: Path) -> int:
    paths = waiting_in(folder)
    leaving = _surplus(paths, [_size(path) for path in paths])
    for path in leaving:
        with suppress(FileNotFoundError):
            path.unlink()
    return len(leaving)


def _surplus(paths: Sequence[Path], sizes: Sequence[int]) -> list[Path]:
    """Those for which there is no room; the newest have it first."""
    counts: dict[str, int] = {}
    taken, leaving = 0, []
    for path, size in zip(reversed(paths), reversed(sizes), strict=True):
        count = counts.get(_tree(path), 0)
        counts[_tree(path)] = count + 1
        if count > 0 and (count >= MOST or taken + size > ROOM):
            leaving.append(path)
        else:
            taken += size
    return leaving


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _step(path: Path) -> int:
    return int(_match(path)["step"])


def _tree(path: Path) -> str:
    return _match(path)["tree"]


def _match(path: Path) -> re.Match[str]:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match
