"""How Slurm said that tasks of an array ended, kept because Slurm forgets it in minutes.

Whoever sees a task that has ended writes it down. Two that do so at once may undo each other's
additions; the next look makes up for it for as long as Slurm lists the task.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from launch.store.records import read_record
from launch.store.submissions import SubmissionDir
from pcm.run_dir import write_json

FORGOTTEN = ""
"""The word for a task that Slurm knows nothing of any more, wherever it was asked."""

LAG_S = 60.0
"""Slurm's accounting learns of an end some seconds after the controller, more when it is busy."""


@dataclass(frozen=True, slots=True)
class LastWord:
    """What Slurm said last of a task that has ended.

    Attributes:
        state: e.g. CANCELLED; `FORGOTTEN` if nobody has seen it.
        reason: e.g. BadConstraints; "" for none.
        restarts: how often the task had been requeued.
        since, asked: when somebody asked for the first and for the last time, in vain; seconds
            since the epoch. 0 where Slurm did say something.
    """

    state: str
    reason: str = ""
    restarts: int = 0
    since: float = 0.0
    asked: float = 0.0

    @property
    def is_final(self) -> bool:
        """Whether nothing is to be learnt by asking once more."""
        return self.state != FORGOTTEN or self.asked - self.since >= LAG_S


def read_words(files: SubmissionDir) -> dict[int, LastWord]:
    """What is kept, by the task's index."""
    found = {}
    for index, record in read_record(files.words).items():
        with suppress(KeyError, TypeError, ValueError):
            found[int(index)] = LastWord(
                str(record["state"]),
                str(record["reason"]),
                int(record["restarts"]),
                float(record.get("since", 0.0)),
                float(record.get("asked", 0.0)),
            )
    return found


def keep_words(files: SubmissionDir, news: Mapping[int, LastWord]) -> None:
    """Add to what is kept.

    Where the folder can't be written, e.g. a colleague's, nothing is: that is no fault of a
    command that only looks.
    """
    former = read_words(files)
    words = {**former, **{i: _joined(former.get(i), word) for i, word in news.items()}}
    if words == former:
        return
    records = {str(index): _record(word) for index, word in sorted(words.items())}
    with suppress(OSError):
        write_json(files.words, records, durable=False)


def _joined(former: LastWord | None, word: LastWord) -> LastWord:
    """What is to be kept; that nobody knows anything takes back no word."""
    if word.state != FORGOTTEN:
        return word
    now = time.time()
    if former is None:
        return replace(word, since=now, asked=now)
    return former if former.is_final else replace(former, asked=now)


def _record(word: LastWord) -> dict[str, object]:
    record = {"state": word.state, "reason": word.reason, "restarts": word.restarts}
    return (
        record if word.state != FORGOTTEN else record | {"since": word.since, "asked": word.asked}
    )
