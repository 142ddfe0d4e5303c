"""One rank of an experiment that is a script of the user's own; needs no torch.

It stands where training stands for everything else: between the supervisor, which knows nothing
of scripts, and a command, which knows nothing of pcm.
"""

import os
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pcm.config.command_words import filled
from pcm.config.document import load_document
from pcm.config.structures.run_command import RUN, STOP_SIGNALS, names_script
from pcm.console import tell
from pcm.errors import ExitCode, PcmError
from pcm.rank.insisting import insist
from pcm.rank.progress import Heartbeat
from pcm.rank.task import Task, record_error, record_stop
from pcm.run_dir import RunDir, read_json, write_metrics_table
from pcm.run_dir.attempt_records import StoppedRecord
from pcm.run_dir.checkpoints import read_manifests
from pcm.run_dir.records import ErrorRecord, FinishedRecord, ScriptRecord
from pcm.run_dir.signal_names import signal_name
from pcm.run_dir.typed_json import read, write
from pcm.scripts.script_environment import script_environment
from pcm.scripts.script_journal import ScriptJournal
from pcm.scripts.script_meeting import StoppedBeforeStartError, meet
from pcm.scripts.script_process import ScriptProcess
from pcm.scripts.script_progress import ScriptProgress
from pcm.scripts.script_traceback import last_exception, last_words
from pcm.secret_values import scrub
from pcm.tracking.feeding_process import FeedingProcess
from pcm.tracking.tracker import has_tracker

_LOOK = 0.2
"""Seconds between two looks at a script."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0
"""Seconds between two looks at what it has logged, each of which asks a file server twice."""

_UNCAUGHT = 1
"""Python's exit code after an exception."""

_MISUSED = (2, 126, 127)
"""Those of what was not called as it wants to be, or could not be: one line says how."""

_MOST_SHOWN = 100
"""Signs of a command that a reason begins with."""

_GRACE, _SHORT_GRACE = 60.0, 5.0
"""Seconds that the tracker has for the rest: at the end, and where somebody waits."""


def is_script(run_dir: RunDir) -> bool:
    """Whether an experiment is a script."""
    return run_dir.script.exists() and names_script(load_document(run_dir.config).data)


class ScriptRun:
    """A script's process: to its end, to a stop, or to an error, each with its record."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._config: dict[str, Any] = load_document(task.run_dir.config).data
        self._progress = ScriptProgress()
        self._has_asked = False

    def train(self) -> ExitCode:
        """Run the command, and tell how it ended."""
        is_first = self._task.ranks.is_first
        heartbeat = Heartbeat(self._task.attempt.progress, self._progress)
        try:
            if not is_first:
                return self._train()
            with self._tracker(), heartbeat:
                return self._train()
        except StoppedBeforeStartError:
            return ExitCode.STOPPED
        except (PcmError, OSError, KeyboardInterrupt) as error:
            return self._fail(error)

    def _train(self) -> ExitCode:
        task, run = self._task, self._config[RUN]
        meeting = meet(task)
        params = run.get("params") or {}
        own = {"seed": self._config["seed"], "run_dir": str(task.run_dir.path.absolute())}
        words = _with_python(filled(run["command"], params, **own))
        stop_signal = run.get("stop_signal") or STOP_SIGNALS[0]
        environment = script_environment(os.environ, task, meeting, own["seed"], stop_signal)
        if not task.ranks.is_first:
            code = self._wait(self._start(words, environment), None, stop_signal)
            return self._ending(words, code)
        journal = ScriptJournal(task.run_dir, task.attempt, self._progress)
        try:
            code = self._wait(self._start(words, environment), journal, stop_signal)
            journal.settle()
            return self._leave(words, code, journal)
        finally:
            journal.close()

    def _start(self, words: list[str], environment: Mapping[str, str]) -> ScriptProcess:
        record = read(ScriptRecord, self._task.run_dir.script)
        folder = Path(record.folder) if isinstance(record, ScriptRecord) else Path.cwd()
        tell(f"runs {shlex.join(words)} in {folder}")
        hears = self._task.ranks.is_supervised
        return ScriptProcess(words, environment, folder, hears_terminal=hears)

    def _wait(self, process: ScriptProcess, journal: ScriptJournal | None, stop_signal: str) -> int:
        looked, pause = 0.0, _SHORTEST_PAUSE
        try:
            while (code := process.wait(_LOOK)) is None:
                if journal is not None and time.monotonic() > looked + pause:
                    looked = time.monotonic()
                    pause = next_pause(pause, is_new=journal.look())
                if self._task.stop.is_asked and not self._has_asked:
                    self._has_asked = True
                    process.send(stop_signal)
            return code
        finally:
            process.kill()

    def _leave(self, words: list[str], code: int, journal: ScriptJournal) -> ExitCode:
        """Rank 0: write down how it ended, which counts for all ranks."""
        with suppress(OSError):
            write_metrics_table(self._task.run_dir.metrics, self._task.run_dir.metrics_table)
        ending = self._ending(words, code)
        if ending is ExitCode.DONE and journal.marks == {"stopping"}:
            # It has seen the request, and its way out led through no `finish`.
            ending = ExitCode.STOPPED
        if ending is ExitCode.DONE and self._task.attempt.failed.exists():
            tell("the script has ended well, but another rank had failed before")
            return ExitCode.EXPERIMENT_FAILED
        if ending is ExitCode.STOPPED:
            self._record_stop(journal)
        elif ending is ExitCode.DONE:
            self._record_finish(journal)
        return ending

    def _ending(self, words: list[str], code: int) -> ExitCode:
        if code in (ExitCode.DONE, ExitCode.STOPPED):
            return ExitCode(code)
        how = _how(code)
        if self._has_asked and (not self._task.ranks.is_first or self._is_of_stop_signal(code)):
            # Ranks that wait for each other fall over the first that leaves.
            tell(f"rank {self._task.ranks.rank}: the script ended after the stop: {how}")
            return ExitCode.STOPPED
        log = self._task.attempt.log(self._task.ranks.rank)
        reason = last_exception(log) if code == _UNCAUGHT else ""
        if code in _MISUSED:
            reason = last_words(log)
        said = ": ".join(filter(None, [f"{_brief(words)} {how}", reason]))
        return self._fail(PcmError(said, "its log says more: pcm logs"))

    def _is_of_stop_signal(self, code: int) -> bool:
        """Whether a script died of the signal itself; a shell says so by 128 and its number."""
        name = self._config[RUN].get("stop_signal") or STOP_SIGNALS[0]
        number = signal.Signals[f"SIG{name}"].value
        return code in (-number, 128 + number)

    def _record_stop(self, journal: ScriptJournal) -> None:
        newest = next(iter(read_manifests(self._task.run_dir.checkpoints)), None)
        record = StoppedRecord(
            checkpoint=None if newest is None else newest.file,
            step=journal.summary.step or 0,
            epoch=journal.epoch,
            reason=self._task.stop.reason,
        )
        record_stop(self._task, record)

    def _record_finish(self, journal: ScriptJournal) -> None:
        metrics = {name: metric.last for name, metric in journal.summary.metrics.items()}
        record = FinishedRecord(journal.summary.step or 0, journal.epoch, metrics)
        insist(lambda: write(self._task.attempt.finished, record), lambda _: None)

    def _fail(self, error: BaseException) -> ExitCode:
        rank = self._task.ranks.rank
        tell(f"rank {rank}: {error}")
        name = "ScriptError" if type(error) is PcmError else type(error).__name__
        text = scrub(error.message if isinstance(error, PcmError) else str(error))
        trace = "" if isinstance(error, PcmError) else "".join(traceback.format_exception(error))
        record_error(self._task, ErrorRecord(name, text, traceback=scrub(trace), rank=rank))
        if isinstance(error, PcmError):
            return error.exit_code
        is_interrupt = isinstance(error, KeyboardInterrupt)
        return ExitCode.INTERRUPTED if is_interrupt else ExitCode.EXPERIMENT_FAILED

    @contextmanager
    def _tracker(self) -> Iterator[None]:
        """The process that feeds a tracker; it must not delay the record of the end."""
        run_dir = self._task.run_dir
        experiment = read_json(run_dir.experiment) or {}
        feeder = FeedingProcess(run_dir) if has_tracker(experiment) else None
        try:
            yield
        finally:
            if feeder is not None:
                feeder.end(_SHORT_GRACE if self._task.stop.is_asked else _GRACE)


def next_pause(pause: float, *, is_new: bool) -> float:
    """Seconds until the next look at what a script logs: ever more while it logs nothing."""
    return _SHORTEST_PAUSE if is_new else min(2 * pause, _LONGEST_PAUSE)


def _with_python(words: list[str]) -> list[str]:
    """The words with this interpreter for a bare `python`: the one that trains everything else."""
    return [sys.executable, *words[1:]] if words[0] in ("python", "python3") else words


def _brief(words: list[str]) -> str:
    """The command, cut: how it ended stands behind it. The log has all of it."""
    command = shlex.join(words)
    return command if len(command) <= _MOST_SHOWN else f"{command[:_MOST_SHOWN]} ..."


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal_name(-code)}"
