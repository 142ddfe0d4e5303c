"""Trackio, by its client's own storage: one run an experiment, under the experiment's id.

The store is the SQLite file of a project in `TRACKIO_DIR`; it breaks under several writers, so
no job writes to it: `pcm sync` does. `trackio sync` then publishes a project as a Space.

`trackio.log` is left aside: it hands rows to a thread, only warns of what that could not write,
and stamps them with the time of sending.
"""

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.tracking.tracker import SYSTEM, Point, missing_client

_BITS = 63
"""Of the whole numbers that its store takes."""

_ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")
_ELSEWHERE_HINT = "unset it; `trackio sync` publishes what is in the local store as a Space"


class TrackioTracker:
    """One experiment's run.

    Args:
        run_dir: unused; the store lies outside.
        experiment: the experiment's record: `id`, `name`, `sweep`; `tracker.project` names
            Trackio's project, else it is the sweep.
    """

    local = False

    def __init__(self, run_dir: RunDir, experiment: dict[str, Any]) -> None:  # noqa: ARG002 - as all
        self._id = str(experiment["id"])
        self._name = str(experiment.get("name") or self._id)
        self._group = experiment.get("sweep")
        project = (experiment.get("tracker") or {}).get("project")
        self._project = str(project or self._group or "pcm")
        self._config: dict[str, Any] = {}
        self._is_config_sent = True
        self._rows: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._looks: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._times: dict[int, float] = {}
        folder = _folder()
        # Another store is another tracker: it has nothing of what this one was sent.
        self.slot = f"trackio-{_digest(str(folder))}"
        self._held: dict[str, int] | None = None
        self.store_lock = folder.with_name(f".{folder.name}.pcm.lock")
        self.found = False

    def open(self, runs: Sequence[str]) -> str:
        """Continue the run of the experiment's id, or start it."""
        elsewhere = next((name for name in _ELSEWHERE if os.environ.get(name)), None)
        if elsewhere is not None:
            raise RefusedError(f"{elsewhere} is set; pcm writes its local store", _ELSEWHERE_HINT)
        storage = _storage()
        storage.validate_project_name(self._project)
        self._forget()
        self._held = None
        is_there = storage.get_last_step(self._project, run_id=self._id) is not None
        # One of the two was lost or is another's: what is there is asked for, series by series.
        self.found = is_there != bool(runs)
        return self._id

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """The run's config, which Trackio takes with the next row."""
        numbers = {name: _storable(value) for name, value in fields.items()}
        self._config |= {**numbers, "tags": list(tags), "_Group": self._group}
        self._is_config_sent = False

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Collect what `flush` writes, a row a step."""
        for point in points:
            if isinstance(point.value, Path) and not point.value.exists():
                continue
            self._rows[point.step][_stored_name(key)] = self._stored(point)
            self._times[point.step] = point.time

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """Collect what `flush` writes beside the rows: its page of system metrics goes by time."""
        for point in points:
            self._looks[point.step][key] = point.value
            self._times[point.step] = point.time

    def flush(self) -> None:
        """Write the rows in one transaction, and looks at the machine in another."""
        if self._rows:
            config = None if self._is_config_sent else self._config
            steps = sorted(self._rows)
            self._write(_storage().bulk_log, self._rows, steps=steps, config=config)
            self._is_config_sent = True
        if self._looks:
            self._write(_storage().bulk_log_system, self._looks)
        self._forget()

    def _write(self, store: Any, rows: Mapping[int, dict[str, Any]], **more: Any) -> None:
        steps = sorted(rows)
        store(
            project=self._project,
            run=self._name,
            run_id=self._id,
            metrics_list=[rows[step] for step in steps],
            timestamps=[_iso(self._times[step]) for step in steps],
            # A row that is there already is left out by the store itself, too.
            log_ids=[self._row_id(step, rows[step]) for step in steps],
            **more,
        )

    def last_step(self, key: str, otherwise: int) -> int:  # noqa: ARG002 - the store knows
        """Read it from the store; a look at the machine has no step there, and may come again."""
        if key.startswith(SYSTEM):
            return -1
        if self._held is None:
            self._held = self._last_steps()
        return self._held.get(_stored_name(key), -1)

    def _last_steps(self) -> dict[str, int]:
        """Of all series at once: the store looks through all its rows, whatever is asked."""
        rows = _storage().get_logs(self._project, self._name, run_id=self._id)
        found: dict[str, int] = {}
        for row in rows:
            step = int(row["step"])
            for name in row:
                found[name] = max(step, found.get(name, -1))
        return found

    def close(self) -> None:
        """Forget what was not written; the store keeps no connection."""
        self._forget()

    def _forget(self) -> None:
        self._rows.clear()
        self._looks.clear()
        self._times.clear()

    def _stored(self, point: Point) -> Any:
        if not isinstance(point.value, Path):
            return point.value
        from trackio import Image
        from trackio.media import get_project_media_path
        from trackio.utils import MEDIA_DIR

        folder = get_project_media_path(self._project, run=self._id, step=point.step)
        # One name each time: a picture that is sent again is there once.
        place = folder / f"{_digest(str(point.value))}-{point.value.name}"
        shutil.copyfile(point.value, place)
        file = str(place.relative_to(MEDIA_DIR))
        return {"_type": Image.TYPE, "file_path": file, "caption": None}

    def _row_id(self, step: int, row: Mapping[str, Any]) -> str:
        return _digest("\n".join((self._id, str(step), *sorted(row))), 32)


def _storage() -> Any:
    try:
        from trackio.sqlite_storage import SQLiteStorage
    except ImportError as error:
        raise missing_client("trackio", error) from error
    return SQLiteStorage


def _folder() -> Path:
    """Where the client keeps its projects; it reads these variables once, at its import."""
    named = os.environ.get("TRACKIO_DIR")
    if named:
        return Path(named).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = os.environ.get("HF_HOME") or Path(cache) / "huggingface"
    return Path(home).expanduser().absolute() / "trackio"


def _stored_name(key: str) -> str:
    """As `trackio.log` renames the names that its tables have for themselves."""
    from trackio.utils import RESERVED_KEYS

    return f"__{key}" if key in RESERVED_KEYS or key.startswith("__") else key


def _storable(value: str | int | float | bool) -> str | int | float | bool:
    """As its store takes it: of whole numbers those of 64 bits, and others as texts."""
    return str(value) if isinstance(value, int) and value.bit_length() > _BITS else value


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _digest(text: str, length: int = 8) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
