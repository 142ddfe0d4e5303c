"""What reading summaries takes long for: `ROOT/summaries.sqlite`, to be deleted freely.

Experiments of earlier versions have no `summary.json`. Their journals are parsed once; what that
came to is kept with the size and time of the files, and is good while these are the same. So are
the summaries of thousands of experiments, which are read from here in a quarter of the time that
checking each `summary.json` takes. No job writes here, and whatever is wrong with the file only
makes it slow.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Self

from launch.damage import notice
from launch.store.layout import RunsRoot
from launch.store.store import Experiment
from pcm.run_dir import RunDir
from pcm.run_dir.summary import MetricSummary, Summary, read_summary, summarise
from pcm.run_dir.typed_json import Damaged

_TABLE = "CREATE TABLE IF NOT EXISTS v2 (id TEXT PRIMARY KEY, files TEXT, summary TEXT)"

_NAMES = RunDir(Path())
_SUMMARY, _JOURNAL = (f"/{path.name}" for path in (_NAMES.summary, _NAMES.metrics))

_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
"""What no wait mends, unlike a lock, a full disk or a folder that nobody may write to."""

MANY = 1000
"""Experiments from which on summaries are kept, too."""

PATIENCE_S = 0.5
"""For another command that writes just now: parsing anew is no great loss."""


class SummaryCache(AbstractContextManager["SummaryCache"]):
    """The summaries of one runs root; what took long is kept when the block ends.

    Args:
        path: of the database; None keeps nothing.
        keeps_all: keep summaries as well, not only what journals came to.
    """

    def __init__(self, path: Path | None, *, keeps_all: bool = False) -> None:
        self._path = path
        self._keeps_all = keeps_all
        self._known: dict[str, tuple[str, str]] | None = None
        self._new: dict[str, tuple[str, Summary]] = {}

    @classmethod
    def of(cls, experiments: Sequence[Experiment]) -> Self:
        """The cache of the runs root that holds these."""
        roots = {each.launch.root for each in experiments}
        path = RunsRoot(roots.pop()).summaries if len(roots) == 1 else None
        return cls(path, keeps_all=len(experiments) >= MANY)

    def __exit__(self, *_error: object) -> None:
        """Keep what was read, if that can be had without waiting."""
        if self._path is None or not self._new:
            return
        rows = [(each, files, _text(summary)) for each, (files, summary) in self._new.items()]
        with suppress(sqlite3.Error, OSError):
            try:
                _keep(self._path, rows)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname not in _BROKEN:
                    raise
                # Else all would be read anew, each time.
                self._path.unlink()
                _keep(self._path, rows)

    def summary(self, experiment: Experiment) -> Summary:
        """What an experiment's metrics came to so far."""
        if self._keeps_all:
            files = _files(experiment)
            return self._kept(experiment, files) or self._read(experiment, files)
        summary = read_summary(experiment.run_dir)
        if summary is not None:
            return summary
        files = _files(experiment)
        return self._kept(experiment, files) or self._parse(experiment, files)

    def _kept(self, experiment: Experiment, files: str) -> Summary | None:
        kept = self._rows().get(experiment.id)
        return _summary(kept[1]) if kept is not None and kept[0] == files else None

    def _read(self, experiment: Experiment, files: str) -> Summary:
        summary = read_summary(experiment.run_dir)
        if summary is None:
            return self._parse(experiment, files)
        self._new[experiment.id] = (files, summary)
        return summary

    def _parse(self, experiment: Experiment, files: str) -> Summary:
        journal = experiment.run_dir.metrics
        if not journal.exists():
            return Summary()
        damaged: list[Damaged] = []
        summary = summarise(journal, damaged.append)
        for each in damaged:
            notice(each)
        if not damaged:
            self._new[experiment.id] = (files, summary)
        return summary

    def _rows(self) -> dict[str, tuple[str, str]]:
        """All of it at once: a question an experiment would take longer."""
        if self._known is None:
            self._known = {}
            if self._path is not None and self._path.exists():
                with suppress(sqlite3.Error), _database(self._path) as database:
                    rows = database.execute("SELECT id, files, summary FROM v2")
                    self._known = {each: (files, text) for each, files, text in rows}
        return self._known


def _keep(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    with _database(path) as database:
        database.execute("DROP TABLE IF EXISTS v1")
        database.execute(_TABLE)
        database.executemany("INSERT OR REPLACE INTO v2 VALUES (?, ?, ?)", rows)


def _files(experiment: Experiment) -> str:
    """What tells whether the files that a summary is of are the same as before."""
    folder = experiment.folder
    return f"{_file(folder + _SUMMARY)} {_file(folder + _JOURNAL)}"


def _file(path: str) -> str:
    try:
        facts = os.stat(path)  # noqa: PTH116 - a Path takes longer to make than this
    except OSError:
        return "-"
    return f"{facts.st_size}:{facts.st_mtime_ns}"


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction in a connection of its own; nothing of it stays if an error ends the block."""
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection, connection:
        yield connection


def _text(summary: Summary) -> str:
    """Metrics as lists without names, which are read faster than `summary.json`."""
    metrics = {name: list(astuple(metric)) for name, metric in summary.metrics.items()}
    return json.dumps([summary.step, summary.journal_bytes, metrics])


def _summary(text: str) -> Summary | None:
    """What was kept; None where somebody else wrote something there."""
    try:
        step, journal_bytes, metrics = json.loads(text)
        found = {name: MetricSummary(*values) for name, values in metrics.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return Summary(step, found, journal_bytes)
