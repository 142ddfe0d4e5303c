"""Neptune, by its own client: offline into files, or online into a server's run.

Online means that `NEPTUNE_API_TOKEN` (it holds the server's address) and a project are
set, and `NEPTUNE_MODE` is not `offline`. Offline, the files are in `.neptune/` inside the
run directory, or where `NEPTUNE_DATA_DIRECTORY` says. Neptune's client starts a new
offline run for every attempt and can't keep an id of ours there, so
`python -m pcm.tracking RUN_DIR` makes the one online run, from the run directory.

If our record is lost, the online run is found by its custom id, which is the experiment's, and
the offline ones by the experiment's id among their fields.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pcm.run_dir import RunDir
from pcm.tracking.tracker import Point, missing_client
from pcm.tracking.tree_names import FIELD, SERIES, TreeNames, digest

_STOP_SECONDS = 30.0

_ID = "experiment/id"
"""The field that says whose run it is; set before anything else."""


class NeptuneTracker:
    """One experiment's Neptune run, or its offline runs, one an attempt.

    Args:
        run_dir: where offline files go.
        experiment: the experiment's record: `id`, `name`, `tracker.project`.
    """

    def __init__(self, run_dir: RunDir, experiment: dict[str, Any]) -> None:
        self._experiment = experiment
        self._folder = Path(os.environ.get(_FOLDER_VARIABLE) or run_dir.path / ".neptune")
        self._project = (experiment.get("tracker") or {}).get("project") or os.environ.get(
            "NEPTUNE_PROJECT"
        )
        self._online = is_online(self._project)
        self._runs: Sequence[str] = ()
        self._run: Any = None
        self._names = TreeNames()
        self.slot = "neptune" if self._online else "neptune-offline"
        self.local = not self._online
        self.found = False

    def open(self, runs: Sequence[str]) -> str:
        """Continue the run on the server, or start one; offline, always start one."""
        neptune = _import_neptune()
        self._runs = runs
        if not self._online:
            self.found = not runs and bool(self._offline_runs())
        with _data_folder(self._folder):
            self._run = neptune.init_run(**self._how(runs), **_QUIET)
        self._names = self._names_there()
        if self._online:
            self.found = not runs and bool(self._run.exists(_ID))
            return str(self._run["sys/id"].fetch())
        return str(self._run.get_url()).rpartition("/")[2]

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """Set fields; add tags to Neptune's set of tags."""
        for key, value in fields.items():
            self._run[self._names.take(_plain(key), FIELD)].assign(value)
        if tags:
            self._run["sys/tags"].add(list(tags))

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Append floats, strings or pictures to the series at `key`."""
        present = [p for p in points if not isinstance(p.value, Path) or p.value.exists()]
        if present:
            name = self._names.take(_plain(key))
            self._run[name].extend(
                [_neptune_value(point) for point in present],
                steps=[point.step for point in present],
                timestamps=[point.time for point in present],
            )
            if isinstance(present[-1].value, Path):
                # A server tells what it has of numbers and texts, but not of pictures.
                self._run[_pictures_mark(name)].assign(present[-1].step)

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """A namespace of its own."""
        self.log(key, points)

    def flush(self) -> None:
        """Wait for the server, or for the file system."""
        self._run.wait()

    def last_step(self, key: str, otherwise: int) -> int:
        """Ask the server; offline, read the client's files."""
        name = self._names.find(_plain(key))
        if name is None:
            return -1
        if not self._online:
            runs = self._offline_runs()
            return max((offline_last_step(self._folder, run, name) for run in runs), default=-1)
        from neptune.exceptions import MissingFieldException

        try:
            return self._ask_server(name)
        except MissingFieldException:
            return otherwise if self._run.exists(name) else -1

    def close(self) -> None:
        """Stop the client; what a server did not take in time stays in the journal."""
        run, self._run = self._run, None
        if run is not None:
            run.stop(seconds=_STOP_SECONDS)

    def _ask_server(self, key: str) -> int:
        try:
            values = self._run[key].fetch_values(include_timestamp=False, progress_bar=False)
        except AttributeError:  # pictures
            return int(self._run[_pictures_mark(key)].fetch())
        return int(values["step"].max()) if len(values) else -1

    def _names_there(self) -> TreeNames:
        """The names in this run, and in the offline ones before it."""
        places = dict(_leaves(self._run.get_structure()))
        for run in () if self._online else self._offline_runs():
            for file in self._folder.glob(f"offline/run__{run}__*/data-*.log"):
                places |= _places_in(file)
        return TreeNames(places)

    def _offline_runs(self) -> set[str]:
        """Those of this experiment: the folder may be shared with others."""
        identifier = str(self._experiment["id"])
        files = self._folder.glob("offline/run__*/data-*.log")
        own = (file for file in files if next(_values_in(file, _ID), None) == identifier)
        return {*self._runs, *(file.parent.name.split("__")[1] for file in own)}

    def _how(self, runs: Sequence[str]) -> dict[str, Any]:
        name = self._experiment.get("name")
        if not self._online:
            return {"mode": "offline", "name": name}
        identity = {"with_id": runs[-1]} if runs else {"custom_run_id": self._experiment["id"]}
        return {"mode": "async", "name": name, "project": self._project, **identity}


_FOLDER_VARIABLE = "NEPTUNE_DATA_DIRECTORY"

_QUIET: dict[str, Any] = {
    "capture_stdout": False,
    "capture_stderr": False,
    "capture_hardware_metrics": False,
    "capture_traceback": False,
    "git_ref": False,
    "source_files": [],
}
"""Nothing that the client would collect by itself: the launch records code and output."""


def _pictures_mark(key: str) -> str:
    return f"pcm/last_picture/{key}"


def is_online(project: str | None) -> bool:
    """Whether the environment configures a Neptune server."""
    wanted = os.environ.get("NEPTUNE_MODE", "async") not in {"offline", "debug"}
    return wanted and bool(os.environ.get("NEPTUNE_API_TOKEN")) and bool(project)


def offline_last_step(folder: Path, run: str, key: str) -> int:
    """The highest step of the series `key` in the files of the offline run `run`; -1 for none."""
    files = folder.glob(f"offline/run__{run}__*/data-*.log")
    return max((step for file in files for step in _steps_in(file, key)), default=-1)


def _steps_in(file: Path, key: str) -> Iterator[int]:
    for operation in _operations(file, key):
        yield from (int(item["step"]) for item in operation.get("values", ()) if "step" in item)


def _values_in(file: Path, key: str) -> Iterator[Any]:
    """What was assigned to the field `key`, in order."""
    return (operation["value"] for operation in _operations(file, key) if "value" in operation)


_OF_SERIES = ("LogFloats", "LogStrings", "LogImages")


def _places_in(file: Path) -> dict[str, str]:
    """The names that a file assigns to, and of what kind each is."""
    return {
        "/".join(each["path"]): SERIES if each["type"] in _OF_SERIES else FIELD
        for each in _all_operations(file)
    }


def _operations(file: Path, key: str) -> Iterator[dict[str, Any]]:
    path = key.split("/")
    return (each for each in _all_operations(file) if each["path"] == path)


def _all_operations(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                yield json.loads(line)["obj"]
            except (ValueError, KeyError, TypeError):  # the line of a killed writer
                continue


def _leaves(structure: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The names in a run's structure, and of what kind each is."""
    for part, child in structure.items():
        if isinstance(child, Mapping):
            yield from _leaves(child, f"{above}{part}/")
        else:
            yield f"{above}{part}", SERIES if hasattr(child, "extend") else FIELD


def _plain(key: str) -> str:
    """The key as the client understands it, which drops empty parts; still another for each."""
    plain = "/".join(filter(None, key.split("/")))
    return key if plain == key and key else f"{plain}-{digest(key)}"


def _neptune_value(point: Point) -> Any:
    if isinstance(point.value, Path):
        from neptune.types import File

        return File(str(point.value))
    return point.value


def _import_neptune() -> Any:
    try:
        import neptune
    except ImportError as error:
        raise missing_client("neptune", error) from error
    logging.getLogger("neptune").setLevel(logging.ERROR)
    return neptune


@contextmanager
def _data_folder(folder: Path) -> Iterator[None]:
    """The client takes the place of its files from the environment alone."""
    before = os.environ.get(_FOLDER_VARIABLE)
    os.environ[_FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[_FOLDER_VARIABLE]
        if before is not None:
            os.environ[_FOLDER_VARIABLE] = before
