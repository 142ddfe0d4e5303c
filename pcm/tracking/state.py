"""`tracker.json`: the ids of an experiment's tracker runs and how far each was fed.

Sending is a two-step affair: the marks that a batch will reach are written down first
(`sending`), and count (`marks`) when the tracker has the batch. After a death in between,
`sending` is what remains to be settled, so a step is never sent twice.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from pcm.errors import RefusedError
from pcm.run_dir import read_json, write_json

_VERSION = 1


@dataclass(slots=True)
class TrackerState:
    """What one tracker has of one experiment.

    Attributes:
        runs: run ids, oldest first.
        marks: series -> the highest step sent.
        sending: the same for a batch of which nobody knows whether it has arrived.
        is_found: whether the run was there before this record: it is asked what it holds.
    """

    runs: list[str] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    sending: dict[str, int] = field(default_factory=dict)
    is_found: bool = False

    def mark(self, key: str) -> int:
        """The highest step of `key` that was sent; -1 for none."""
        return self.marks.get(key, -1)


def load_state(path: Path, slot: str) -> TrackerState:
    """The state of the tracker `slot`; an empty one where there is none yet."""
    return TrackerState(**_trackers(path).get(slot, {}))


def save_state(path: Path, slot: str, state: TrackerState) -> None:
    """Write the state of `slot`, keeping those of the other trackers."""
    # Each tracker is fed on its own, perhaps from another machine.
    with FileLock(path.with_name(f"{path.name}.lock")):
        trackers = _trackers(path) | {slot: asdict(state)}
        write_json(path, {"schema_version": _VERSION, "trackers": trackers})


def _trackers(path: Path) -> dict[str, dict[str, Any]]:
    try:
        record = read_json(path)
        if record is None:
            return {}
        version, trackers = record["schema_version"], record["trackers"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise RefusedError(f"{path} is damaged ({error!r})", _DAMAGED_HINT) from error
    if version != _VERSION:
        raise RefusedError(f"{path} has schema version {version}; this pcm reads {_VERSION}")
    return dict(trackers)


_DAMAGED_HINT = "move it away; the runs are then found again, and asked what they hold"
