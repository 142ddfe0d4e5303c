"""Weights & Biases, by its client: a run on the server, or offline files.

Online means that `WANDB_API_KEY` is set, or that `wandb login` left a key in `~/.netrc`, and
`WANDB_MODE` is not `offline`. Offline files are in `.wandb/` inside the run directory, or
where `WANDB_DIR` says. Offline the client makes a folder for every attempt and begins its own
count of steps again in each; they have one id, and no step is in two of them. The step of pcm
is the metric `trainer/global_step`, the x axis of all others.
"""

import netrc
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pcm.run_dir import RunDir
from pcm.tracking.outcome import Outcome
from pcm.tracking.tracker import SYSTEM, Point, missing_client
from pcm.tracking.wandb_files import SECONDS, STEP, axis_of, last_steps, wait_for_writers


class WandbTracker:
    """One experiment's run, or its offline folders, one an attempt.

    Args:
        run_dir: where offline files go.
        experiment: the experiment's record: `id`, `name`, `sweep`; `tracker.project` is
            `project` or `entity/project`, else `WANDB_PROJECT`, else the sweep.
    """

    def __init__(self, run_dir: RunDir, experiment: dict[str, Any]) -> None:
        self._experiment = experiment
        self._folder = Path(os.environ.get("WANDB_DIR") or run_dir.path / ".wandb")
        self._rows: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._system_rows: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        self._held: dict[str, int] = {}
        self._run: Any = None
        self._exit_code = 1
        self._online = is_online()
        self.slot = "wandb" if self._online else "wandb-offline"
        self.local = not self._online
        self.found = False

    def open(self, runs: Sequence[str]) -> str:
        """Continue the run of the experiment's id, or start it."""
        wandb = _import_wandb()
        self._rows.clear()
        self._system_rows.clear()
        self._exit_code = 1
        identifier = str(self._experiment["id"])
        self._folder.mkdir(parents=True, exist_ok=True)
        files = [] if self._online else list(self._offline_files())
        wait_for_writers(files)
        self._held = last_steps(files)
        self._run = wandb.init(
            id=identifier,
            name=str(self._experiment.get("name") or identifier),
            group=self._experiment.get("sweep"),
            dir=str(self._folder),
            mode="online" if self._online else "offline",
            resume="allow" if self._online else None,
            settings=wandb.Settings(**_QUIET),
            reinit="create_new",
            **self._place(),
        )
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP)
        self._run.define_metric(SECONDS)
        self._run.define_metric(f"{SYSTEM}*", step_metric=SECONDS)
        # Offline the client writes blocks of 32 KiB, and the last one dies with a killed job.
        self.found = bool(files) or (self._online and not runs and bool(self._run.resumed))
        return identifier

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """The run's config and tags."""
        self._run.config.update(dict(fields), allow_val_change=True)
        # One that is too long would have the client take none of them.
        self._run.tags = tuple(dict.fromkeys(tag[:_LONGEST_TAG] for tag in tags if tag))

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Collect what `flush` sends step by step: the client takes no step after a later one."""
        for point in points:
            if not isinstance(point.value, Path) or point.value.exists():
                row = self._rows[point.step]
                row |= {key: _wandb_value(point.value), "_timestamp": point.time}

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """Collect the same for an axis of its own: a row of the other would be taken for a step."""
        for point in points:
            self._system_rows[point.step] |= {key: point.value, "_timestamp": point.time}

    def flush(self) -> None:
        """Hand the rows to the client's own process, which outlives this one."""
        for axis, rows in ((STEP, self._rows), (SECONDS, self._system_rows)):
            for step, row in sorted(rows.items()):
                self._run.log({axis: step, **row})
            rows.clear()

    def last_step(self, key: str, otherwise: int) -> int:
        """What the offline files held at the opening; ask a server, which may not tell.

        Raises:
            Exception: it does not tell, and nothing else is known of the run.
        """
        if not self._online:
            return self._held.get(key, -1)
        try:
            return self._ask_server(key)
        except Exception:
            # Whatever its interface raises: sending nothing twice comes first.
            if otherwise < 0:
                raise
            return otherwise

    def finish(self, outcome: Outcome) -> None:
        """Show the run as finished, failed, or, if it goes on later, preempted."""
        if outcome in {Outcome.RUNNING, Outcome.STOPPED}:
            self._run.mark_preempting()
        self._exit_code = 0 if outcome is Outcome.DONE else 1

    def close(self) -> None:
        """Wait until the client has written or sent everything."""
        run, self._run = self._run, None
        if run is not None:
            run.finish(exit_code=self._exit_code)

    def _place(self) -> dict[str, str]:
        project = (self._experiment.get("tracker") or {}).get("project")
        wanted = project or os.environ.get("WANDB_PROJECT") or self._experiment.get("sweep") or ""
        entity, _, name = wanted.rpartition("/")
        return {key: text for key, text in (("entity", entity), ("project", name)) if text}

    def _offline_files(self) -> Iterator[Path]:
        identifier = self._experiment["id"]
        return self._folder.glob(f"wandb/offline-run-*-{identifier}/run-{identifier}.wandb")

    def _ask_server(self, key: str) -> int:
        run = _import_wandb().Api().run(self._run.path)
        axis = axis_of(key)
        return max((int(row[axis]) for row in run.scan_history(keys=[key, axis])), default=-1)


_QUIET: dict[str, Any] = {
    "silent": True,
    "console": "off",
    "disable_git": True,
    "disable_code": True,
    "save_code": False,
    "x_disable_stats": True,
    "x_disable_meta": True,
    "x_save_requirements": False,
}
"""Nothing that the client would collect by itself: the launch records code and output."""

_LONGEST_TAG = 64


def is_online() -> bool:
    """Whether the environment, or a login, configures a server."""
    if os.environ.get("WANDB_MODE", "online") != "online":
        return False
    return bool(os.environ.get("WANDB_API_KEY")) or _has_login()


def _has_login() -> bool:
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname
    try:
        return netrc.netrc().authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _wandb_value(value: float | str | Path) -> Any:
    return _import_wandb().Image(str(value)) if isinstance(value, Path) else value


def _import_wandb() -> Any:
    try:
        import wandb
    except ImportError as error:
        raise missing_client("wandb", error) from error
    return wandb
