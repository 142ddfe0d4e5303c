"""How Slurm said that tasks of an array ended, kept because Slurm forgets it in minutes.

Whoever sees a task that has ended writes it down. Two that do so at once may undo each other's
additions; the next look makes up for it for as long as Slurm lists the task.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from launch.store.records import read_record
from launch.store.submissions import SubmissionDir
from pcm.run_dir import write_json

FORGOTTEN = ""
"""The word for a task that Slurm knows nothing of any more, wherever it was asked."""


@dataclass(frozen=True, slots=True)
class LastWord:
    """What Slurm said last of a task that has ended.

    Attributes:
        state: e.g. CANCELLED; `FORGOTTEN` if nobody has seen it.
        reason: e.g. BadConstraints; "" for none.
        restarts: how often the task had been requeued.
    """

    state: str
    reason: str = ""
    restarts: int = 0


def read_words(files: SubmissionDir) -> dict[int, LastWord]:
    """What is kept, by the task's index."""
    found = {}
    for index, record in read_record(files.words).items():
        with suppress(KeyError, TypeError, ValueError):
            restarts = int(record["restarts"])
            found[int(index)] = LastWord(str(record["state"]), str(record["reason"]), restarts)
    return found


def keep_words(files: SubmissionDir, news: Mapping[int, LastWord]) -> None:
    """Add to what is kept.

    Where the folder can't be written, e.g. a colleague's, nothing is: that is no fault of a
    command that only looks.
    """
    former = read_words(files)
    words = {**former, **{i: word for i, word in news.items() if word.state or i not in former}}
    if words == former:
        return
    records = {
        str(index): {"state": word.state, "reason": word.reason, "restarts": word.restarts}
        for index, word in sorted(words.items())
    }
    with suppress(OSError):
        write_json(files.words, records, durable=False)
