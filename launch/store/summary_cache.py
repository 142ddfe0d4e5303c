"""Summaries of journals that have none beside them: `ROOT/summaries.sqlite`, to be deleted freely.

Experiments of earlier versions have no `summary.json`. Their journals are parsed once; what that
came to is kept with the journal's size and time, and is good while these are the same. No job
writes here, and whatever is wrong with the file only makes it slow.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from launch.damage import notice
from launch.store.layout import RunsRoot
from launch.store.store import Experiment
from pcm.run_dir import typed_json
from pcm.run_dir.summary import Summary, read_summary, summarise
from pcm.run_dir.typed_json import Damaged

_TABLE = "CREATE TABLE IF NOT EXISTS v1 (id TEXT PRIMARY KEY, size INT, time INT, summary TEXT)"

PATIENCE_S = 0.5
"""For another command that writes just now: parsing anew is no great loss."""


class SummaryCache(AbstractContextManager["SummaryCache"]):
    """The summaries of one runs root; what was parsed is kept when the block ends.

    Args:
        path: of the database; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int, str]] | None = None
        self._parsed: dict[str, tuple[int, int, str]] = {}

    @classmethod
    def of(cls, experiments: Sequence[Experiment]) -> Self:
        """The cache of the runs root that holds these."""
        roots = {each.launch.root for each in experiments}
        return cls(RunsRoot(roots.pop()).summaries if len(roots) == 1 else None)

    def __exit__(self, *_error: object) -> None:
        """Keep what was parsed, if that can be had without waiting."""
        if self._path is None or not self._parsed:
            return
        rows = [(each, *values) for each, values in self._parsed.items()]
        with suppress(sqlite3.Error), _database(self._path) as database:
            database.execute(_TABLE)
            database.executemany("INSERT OR REPLACE INTO v1 VALUES (?, ?, ?, ?)", rows)

    def summary(self, experiment: Experiment) -> Summary:
        """What an experiment's metrics came to so far."""
        summary = read_summary(experiment.run_dir)
        return summary if summary is not None else self._from_journal(experiment)

    def _from_journal(self, experiment: Experiment) -> Summary:
        journal = experiment.run_dir.metrics
        try:
            facts = journal.stat()
        except OSError:
            return Summary()
        key = (facts.st_size, facts.st_mtime_ns)
        kept = self._rows().get(experiment.id)
        if kept is not None and kept[:2] == key:
            summary = _parsed(kept[2])
            if summary is not None:
                return summary
        damaged: list[Damaged] = []
        summary = summarise(journal, damaged.append)
        for each in damaged:
            notice(each)
        if not damaged:
            self._parsed[experiment.id] = (*key, json.dumps(typed_json.plain(summary)))
        return summary

    def _rows(self) -> dict[str, tuple[int, int, str]]:
        """All of it at once: a question an experiment would take longer."""
        if self._known is None:
            self._known = {}
            if self._path is not None and self._path.exists():
                with suppress(sqlite3.Error), _database(self._path) as database:
                    rows = database.execute("SELECT id, size, time, summary FROM v1")
                    self._known = {each: (size, time, text) for each, size, time, text in rows}
        return self._known


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction in a connection of its own; nothing of it stays if an error ends the block."""
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection, connection:
        yield connection


def _parsed(text: str) -> Summary | None:
    try:
        found = typed_json.record_of(Summary, json.loads(text))
    except (ValueError, RecursionError):
        return None
    return found
