"""Every file name of a run directory, and who writes it.

config.yaml, experiment.json   the frozen experiment           supervisor of rank 0
lock                           held while an attempt runs      supervisor of rank 0
metrics.jsonl, metrics.csv     journal, and its plain table    training rank 0
summary.json                   what the journal comes to       training rank 0
events.jsonl                   what trackers get besides       training rank 0
tracker.json(.lock)            ids and high-water marks        whoever holds the lock
tracker.lock                   held by a `pcm sync`            whoever holds it
tracker-NAME.lock              held while a tracker is fed     whoever holds it
checkpointing.json             how often, which are kept       supervisor of rank 0
script.json                    where a script runs             supervisor of rank 0
params.json, params.yaml       a script's params               supervisor of rank 0
found.json                     what finders found at first     training rank 0
checkpoints/NAME.ckpt(.json)   checkpoint and its manifest     training rank 0
checkpoints/NAME.ckpt.shards/  each rank's part of it          every training rank
model_checkpoints/             those of a ModelCheckpoint      training rank 0
plots/                         pictures                        training rank 0, and who draws
pictures.jsonl                 those that were drawn           whoever holds the lock
undrawn/NAME-step=N.pt         of what to draw; then deleted   training rank 0
drawing.lock                   held while it is drawn          whoever holds it
attempts/N/
  attempt.json                 host, job, start, world size    supervisor of rank 0
  supervisor-R.json            pids and command of rank R      supervisor of rank R
  state-R.json                 what rank R does: state, CPU    supervisor of rank R
  usage-R.json                 cores, memory, GPU it took      supervisor of rank R
  rank-R.log                   output of rank R                supervisor of rank R
  outcome-R.json               how rank R ended                supervisor of rank R
  failed.json                  which rank failed first         first failing supervisor
  verdict.json                 whether its job comes back      supervisor of rank 0
  stop.json                    a request to stop               first to ask
  kill.json                    a request to end at once        first to ask
  rendezvous.json              address and port                training rank 0
  metrics.jsonl                what a script logs              the script's rank 0
  progress.json                epoch, step, loss, time left    training rank 0
  data-R.json                  how long R > 0 waited for data  training rank R
  error-R.json                 the exception of rank R         training rank R
  profile/                     files of a profiler             every training rank
  unkept.json                  what no checkpoint can have     training rank 0
  killed-companions.json       what died beside training       training rank 0
  stopped.json, finished.json  the end, as training saw it     training rank 0
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

SCHEMA_VERSION = 1
"""Version of the run directory's layout; written to experiment.json."""

GPUS_ASKED = "PCM_GPUS_ASKED"
"""The environment variable in which a supervisor tells training how many GPUs its node has for
the job, so that it never trains without."""


@dataclass(frozen=True, slots=True)
class AttemptDir:
    """File names of one attempt."""

    path: Path

    @property
    def number(self) -> int:
        """The attempt's number, from 1."""
        return int(self.path.name)

    @property
    def attempt(self) -> Path:
        """Host, scheduler's job, start, world size."""
        return self.path / "attempt.json"

    @property
    def failed(self) -> Path:
        """Which rank failed first."""
        return self.path / "failed.json"

    @property
    def verdict(self) -> Path:
        """Whether the scheduler's job comes back, and why; of attempts that did not finish."""
        return self.path / "verdict.json"

    @property
    def stop(self) -> Path:
        """A request to stop: who asked, and why."""
        return self.path / "stop.json"

    @property
    def kill(self) -> Path:
        """A request to end at once, without a checkpoint: who asked, and why."""
        return self.path / "kill.json"

    @property
    def rendezvous(self) -> Path:
        """Where rank 0 listens."""
        return self.path / "rendezvous.json"

    @property
    def logged(self) -> Path:
        """What a script logs, a line a step; taken from here into the journal."""
        return self.path / "metrics.jsonl"

    @property
    def progress(self) -> Path:
        """Epoch, step, loss, time left; also the heartbeat."""
        return self.path / "progress.json"

    @property
    def stopped(self) -> Path:
        """Written after the checkpoint of a stop is whole on disk."""
        return self.path / "stopped.json"

    @property
    def unkept(self) -> Path:
        """What of a module of one's own no checkpoint can have."""
        return self.path / "unkept.json"

    @property
    def killed_companions(self) -> Path:
        """Which processes beside training were killed, and in which control group."""
        return self.path / "killed-companions.json"

    @property
    def finished(self) -> Path:
        """Written when training has reached its end."""
        return self.path / "finished.json"

    @property
    def profile(self) -> Path:
        """Folder of what a profiler of the trainer file writes."""
        return self.path / "profile"

    def supervisor(self, rank: int) -> Path:
        """Process ids of one rank."""
        return self.path / f"supervisor-{rank}.json"

    def state(self, rank: int) -> Path:
        """What the processes of one rank were doing a moment ago."""
        return self.path / f"state-{rank}.json"

    def usage(self, rank: int) -> Path:
        """What the processes of one rank have taken of cores, memory and GPU."""
        return self.path / f"usage-{rank}.json"

    def data(self, rank: int) -> Path:
        """How long one rank has waited for data; rank 0 says it with its progress."""
        return self.progress if rank == 0 else self.path / f"data-{rank}.json"

    def log(self, rank: int) -> Path:
        """Output of one rank."""
        return self.path / f"rank-{rank}.log"

    def outcome(self, rank: int) -> Path:
        """How one rank ended."""
        return self.path / f"outcome-{rank}.json"

    def error(self, rank: int) -> Path:
        """The exception that ended one rank."""
        return self.path / f"error-{rank}.json"


@dataclass(frozen=True, slots=True)
class RunDir:
    """File names of one experiment."""

    path: Path

    @property
    def experiment(self) -> Path:
        """Id, name, sweep, identity, tags, tracker, overrides, code version."""
        return self.path / "experiment.json"

    @property
    def config(self) -> Path:
        """The resolved config, complete in itself."""
        return self.path / "config.yaml"

    @property
    def lock(self) -> Path:
        """Held while an attempt runs."""
        return self.path / "lock"

    @property
    def metrics(self) -> Path:
        """The journal: a JSON line a logged step, appended and synced."""
        return self.path / "metrics.jsonl"

    @property
    def metrics_table(self) -> Path:
        """The metrics as one plain table, a row a step."""
        return self.path / "metrics.csv"

    @property
    def summary(self) -> Path:
        """What the journal comes to: each metric's last, least and greatest value."""
        return self.path / "summary.json"

    @property
    def events(self) -> Path:
        """Pictures, checkpoints and hyperparameters, as they came."""
        return self.path / "events.jsonl"

    @property
    def tracker(self) -> Path:
        """Tracker run ids and high-water marks."""
        return self.path / "tracker.json"

    @property
    def tracker_lock(self) -> Path:
        """Held while `pcm sync` sends what trackers have missed."""
        return self.path / "tracker.lock"

    def feeding_lock(self, tracker: str) -> Path:
        """Held by whoever feeds this one tracker, a job or `pcm sync`, as long as that works."""
        name = re.sub(r"[^\w.-]", "_", tracker)
        return self.path / f"tracker-{name}.lock"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints and their manifests."""
        return self.path / "checkpoints"

    @property
    def model_checkpoints(self) -> Path:
        """Folder of what a user's own ModelCheckpoint writes; nothing goes on from there."""
        return self.path / "model_checkpoints"

    @property
    def checkpointing(self) -> Path:
        """How often checkpoints are written, and which are kept."""
        return self.path / "checkpointing.json"

    @property
    def found(self) -> Path:
        """What finders of the trainer file found before the first step."""
        return self.path / "found.json"

    @property
    def script(self) -> Path:
        """Where a script runs; only experiments of scripts have it."""
        return self.path / "script.json"

    @property
    def params(self) -> Path:
        """The params of a script's point; beside it the same as YAML."""
        return self.path / "params.json"

    @property
    def plots(self) -> Path:
        """Pictures of validations, in folders by their log path."""
        return self.path / "plots"

    @property
    def pictures(self) -> Path:
        """Those that were drawn of what training kept, as `events` has the others."""
        return self.path / "pictures.jsonl"

    @property
    def undrawn(self) -> Path:
        """Folder of the arrays of pictures that nobody has drawn yet."""
        return self.path / "undrawn"

    @property
    def drawing_lock(self) -> Path:
        """Held by whoever draws them."""
        return self.path / "drawing.lock"

    @property
    def attempts_folder(self) -> Path:
        """A folder an attempt, by number."""
        return self.path / "attempts"

    def attempt(self, number: int) -> AttemptDir:
        """One attempt, by its number from 1."""
        return AttemptDir(self.attempts_folder / str(number))

    def attempts(self) -> list[AttemptDir]:
        """All attempts, first to last."""
        folder = self.attempts_folder
        try:
            # A third of the time of `iterdir`, of which tables have ten thousand.
            names = os.listdir(folder)  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [AttemptDir(folder / name) for name in sorted(filter(str.isdecimal, names), key=int)]
