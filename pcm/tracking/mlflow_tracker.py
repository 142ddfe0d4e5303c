"""MLflow, by its client: one run an experiment, known by its tag `pcm_id`.

The store is that of `MLFLOW_TRACKING_URI`; credentials (`MLFLOW_TRACKING_TOKEN`, `_USERNAME`,
`_PASSWORD`) are the client's own affair. A store in files or SQLite breaks under several
writers, so no job writes to one: `pcm sync` does.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.tracking.mlflow_limits import batches, file_name, safe_name, shortened
from pcm.tracking.outcome import Outcome
from pcm.tracking.tracker import Point, missing_client
from pcm.tracking.tree_names import SERIES, TreeNames, digest

_ID = "pcm_id"

_STATUS = {
    Outcome.RUNNING: "RUNNING",
    Outcome.DONE: "FINISHED",
    Outcome.FAILED: "FAILED",
    Outcome.STOPPED: "KILLED",
}

_METRICS, _PARAMS = 1000, 100
"""How many a server takes in one request."""

_URI_HINT = "name a server, https://..., or for `pcm sync` sqlite:////path/to/mlflow.db"
_CLIENT_HINT = (
    "a database needs all of it, of which pcm-launch[mlflow] is a part: pip install mlflow"
)

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
"""Of the client, whose own is minutes, in which nobody feeds the other experiments.

What a server has missed is sent again anyway, at the next look.
"""

_LONGEST_PARAM, _LONGEST_TAG = 6000, 5000

_DELETED_HINT = "restore it there, or delete it for good (mlflow gc); then it is sent anew"
_PROJECT_HINT = "restore it there, delete it for good (mlflow gc), or name another as project"


class MlflowTracker:
    """One experiment's run.

    Args:
        run_dir: pictures are named by their place in it.
        experiment: the experiment's record: `id`, `name`, `sweep`; `tracker.project` names
            MLflow's experiment, else `MLFLOW_EXPERIMENT_NAME` does, else it is the sweep.
    """

    def __init__(self, run_dir: RunDir, experiment: dict[str, Any]) -> None:
        self._run_dir = run_dir
        self._experiment = experiment
        self._uri = os.environ.get("MLFLOW_TRACKING_URI", "")
        self._client: Any = None
        self._run = ""
        self._params: set[str] = set()
        self._param_names = _Names(self._uri)
        self._metric_names = _Names(self._uri)
        self._metrics: list[Any] = []
        # Another server is another tracker: it has nothing of what this one was sent.
        self.slot = f"mlflow-{digest(_without_user(self._uri))}"
        self.local = not self._uri
        self.store_lock = _store_lock(self._uri)
        self.found = False

    def open(self, runs: Sequence[str]) -> str:
        """Continue the run that the record or the tag names, or start one."""
        if not self._uri:
            # The client would make a database in whatever folder this is.
            raise RefusedError("MLFLOW_TRACKING_URI is not set", _URI_HINT)
        self._metrics = []
        self._client = _client(self._uri)
        known = self._known(runs)
        run = known or self._find()
        # A run that is gone for good, as its whole store may be, had something: another has not.
        self.found = known is None and (run is not None or bool(runs))
        run = run or self._create()
        self._run = str(run.info.run_id)
        self._params = set(run.data.params)
        self._param_names = _Names(self._uri, run.data.params)
        self._metric_names = _Names(self._uri, run.data.metrics)
        self._client.update_run(self._run, status="RUNNING")
        return self._run

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """Parameters, which MLflow lets nobody change, so only new ones; and a tag of all tags."""
        from mlflow.entities import Param, RunTag

        named = {
            self._param_names.take(key): shortened(str(value), _LONGEST_PARAM)
            for key, value in fields.items()
        }
        new = [Param(name, value) for name, value in named.items() if name not in self._params]
        for batch in batches(new, _PARAMS, lambda param: param.key + param.value):
            self._client.log_batch(self._run, params=batch)
        self._params |= named.keys()
        text = shortened(", ".join(tags), _LONGEST_TAG)
        self._client.log_batch(self._run, tags=[RunTag("pcm_tags", text)])

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Numbers wait for `flush`; texts become tags and pictures artifacts, by their step."""
        from mlflow.entities import Metric

        for point in points:
            if isinstance(point.value, Path):
                self._log_picture(point.value)
            elif isinstance(point.value, str):
                name = safe_name(f"{key}.step-{point.step}")
                text = shortened(point.value, _LONGEST_TAG)
                self._client.set_tag(self._run, name, text)
            else:
                when = int(point.time * 1000)
                name = self._metric_names.take(key)
                self._metrics.append(Metric(name, point.value, when, point.step))

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """Its page of a run shows what begins with `system/` apart, over time."""
        self.log(key, points)

    def flush(self) -> None:
        """Send the numbers, many a request."""
        for batch in batches(self._metrics, _METRICS, lambda metric: metric.key):
            self._client.log_batch(self._run, metrics=batch)
        self._metrics = []

    def last_step(self, key: str, otherwise: int) -> int:  # noqa: ARG002 - the store knows
        """Ask the store; tags and artifacts, written twice, are there once all the same."""
        name = self._metric_names.find(key)
        if name is None:
            return -1
        history = self._client.get_metric_history(self._run, name)
        return max((metric.step for metric in history), default=-1)

    def finish(self, outcome: Outcome) -> None:
        """Set the run's status."""
        if outcome is Outcome.RUNNING:
            self._client.update_run(self._run, status=_STATUS[outcome])
        else:
            self._client.set_terminated(self._run, status=_STATUS[outcome])

    def close(self) -> None:
        """Forget the client, which keeps no connection."""
        self._client = None

    def _known(self, runs: Sequence[str]) -> Any:
        """The run of the record; None where there is none any more."""
        from mlflow.exceptions import MlflowException

        if not runs:
            return None
        try:
            run = self._client.get_run(runs[-1])
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        if run.info.lifecycle_stage == "deleted":
            raise RefusedError(f"its run was deleted in MLflow: {runs[-1]}", _DELETED_HINT)
        return run

    def _find(self) -> Any:
        wanted = f"tags.{_ID} = '{self._experiment['id']}'"
        found = self._client.search_runs([self._experiment_id()], wanted, max_results=1)
        return found[0] if found else None

    def _create(self) -> Any:
        identifier = str(self._experiment["id"])
        name = str(self._experiment.get("name") or identifier)
        tags = {_ID: identifier}
        return self._client.create_run(self._experiment_id(), tags=tags, run_name=name)

    def _experiment_id(self) -> str:
        """That of MLflow's experiment, which is what pcm calls a sweep."""
        from mlflow.exceptions import MlflowException

        project = (self._experiment.get("tracker") or {}).get("project")
        name = (
            project
            or os.environ.get("MLFLOW_EXPERIMENT_NAME")
            or self._experiment.get("sweep")
            or "pcm"
        )
        there = self._client.get_experiment_by_name(name)
        if there is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:
                # Another experiment of the sweep was faster.
                there = self._client.get_experiment_by_name(name)
                if there is None:
                    raise
        if there.lifecycle_stage == "deleted":
            raise RefusedError(f"MLflow's experiment {name!r} was deleted there", _PROJECT_HINT)
        return str(there.experiment_id)

    def _log_picture(self, file: Path) -> None:
        if file.exists():
            folder = Path("plots") / file.relative_to(self._run_dir.plots).parent
            self._client.log_artifact(self._run, str(file), folder.as_posix())


class _Names:
    """What a run's metrics, or params, are called; a store in files keeps them in folders."""

    def __init__(self, uri: str, taken: Iterable[str] = ()) -> None:
        self._tree = TreeNames(dict.fromkeys(taken, SERIES)) if _is_in_files(uri) else None

    def take(self, key: str) -> str:
        """The name of one that is to be there."""
        return safe_name(key) if self._tree is None else self._tree.take(file_name(key))

    def find(self, key: str) -> str | None:
        """The name of one that may be there; None if there is none."""
        return safe_name(key) if self._tree is None else self._tree.find(file_name(key))


def _client(uri: str) -> Any:
    # Its makers want to know who uses it, from every job.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise missing_client("mlflow", error) from error
    from mlflow.exceptions import MlflowException

    try:
        return MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise RefusedError(
            f"MLflow's client can't open its store: {error}", _CLIENT_HINT
        ) from error


def _without_user(uri: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _is_in_files(uri: str) -> bool:
    return bool(uri) and urlsplit(uri).scheme in {"", "file"}


def _store_lock(uri: str) -> Path | None:
    """Beside a store in files or SQLite; None for a server, which bears many writers."""
    parts = urlsplit(uri)
    if parts.scheme == "sqlite":
        store = Path(uri.removeprefix("sqlite:///"))
    elif _is_in_files(uri):
        store = Path(url2pathname(parts.path))
    else:
        return None
    return store.with_name(f".{store.name}.pcm.lock")
