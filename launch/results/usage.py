"""What an experiment took of the machine, from what its supervisors noted."""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from launch.damage import whole
from launch.results.cost import seconds_of
from launch.store import Experiment
from launch.store.records import names_in
from pcm.run_dir import AttemptDir
from pcm.run_dir.records import DataRecord, OutcomeRecord, UsageRecord
from pcm.run_dir.typed_json import read

_NOTE = re.compile(r"usage-(\d+)\.json")
_DATA = re.compile(r"data-(\d+)\.json")


@dataclass(frozen=True, slots=True)
class Used:
    """What an experiment took; None where nothing tells.

    Attributes:
        longest_s: wall time of its longest attempt.
        samples: how often somebody looked, over all ranks and attempts.
        cores: that were busy in the mean, of all ranks together.
        cores_of_rank: the same of the busiest rank.
        memory_mb: the most that the ranks of one node had.
        gpu_percent: of the time that a GPU computed, in the mean.
        gpu_memory_mb: the most that was taken of one GPU's memory.
        gpu_power_w: that a GPU drew, in the mean.
        data_percent: of the time of training, what the rank waited for data that waited most.
    """

    longest_s: float | None = None
    samples: int = 0
    cores: float | None = None
    cores_of_rank: float | None = None
    memory_mb: float | None = None
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None
    gpu_power_w: float | None = None
    data_percent: float | None = None


@dataclass(frozen=True, slots=True)
class _Note:
    attempt: int
    rank: int
    record: UsageRecord
    memory_mb: float


def used_by(experiment: Experiment) -> Used:
    """What it took so far, over all attempts."""
    attempts = experiment.run_dir.attempts()
    longest_s = max(map(seconds_of, attempts), default=0.0) or None
    listed = [(attempt, names_in(str(attempt.path))) for attempt in attempts]
    notes = [note for attempt, names in listed for note in _notes(attempt, names)]
    data_percent = _data_percent(listed)
    if not notes:
        return Used(longest_s, data_percent=data_percent)
    cores = [_cores(each) for each in _by_rank(notes)]
    return Used(
        longest_s,
        samples=sum(note.record.samples for note in notes),
        cores=sum(cores),
        cores_of_rank=max(cores),
        memory_mb=_memory_of_node(notes, experiment.resources.ranks_per_node),
        gpu_percent=_mean((note.record.gpu_percent, note.record.seconds) for note in notes),
        gpu_memory_mb=max(note.record.gpu_memory_mb or 0.0 for note in notes) or None,
        gpu_power_w=_mean((note.record.gpu_power_w, note.record.seconds) for note in notes),
        data_percent=data_percent,
    )


def _notes(attempt: AttemptDir, names: Collection[str]) -> Iterable[_Note]:
    ranks = (match[1] for name in names if (match := _NOTE.fullmatch(name)))
    for rank in map(int, ranks):
        record = whole(read(UsageRecord, attempt.usage(rank)))
        if record is not None and _tells(record):
            # A peak between two looks is known of the largest process alone, by the kernel.
            outcome = whole(read(OutcomeRecord, attempt.outcome(rank))) or OutcomeRecord()
            peak = max(record.memory_mb, outcome.largest_process_mb or 0)
            yield _Note(attempt.number, rank, record, peak)


def _tells(record: UsageRecord) -> bool:
    """Whether it is about some time, with figures that can be: of no look, nothing is known."""
    figures = (
        record.cpu_s,
        record.memory_mb,
        record.gpu_percent or 0.0,
        record.gpu_memory_mb or 0.0,
        record.gpu_power_w or 0.0,
    )
    is_about_time = record.samples > 0 and 0 < record.seconds < math.inf
    return is_about_time and all(0 <= each < math.inf for each in figures)


def _data_percent(attempts: Iterable[tuple[AttemptDir, Collection[str]]]) -> float | None:
    """All ranks wait for the one whose data come last."""
    waited: dict[int, float] = {}
    had: dict[int, float] = {}
    for attempt, names in attempts:
        others = (int(match[1]) for name in names if (match := _DATA.fullmatch(name)))
        for rank in (0, *others):
            record = whole(read(DataRecord, attempt.data(rank))) or DataRecord()
            waited[rank] = waited.get(rank, 0.0) + (record.waited_for_data_s or 0.0)
            had[rank] = had.get(rank, 0.0) + (record.training_s or 0.0)
    return max((100 * waited[rank] / had[rank] for rank in had if had[rank] > 0), default=None)


def _by_rank(notes: Sequence[_Note]) -> list[list[_Note]]:
    ranks = {note.rank for note in notes}
    return [[note for note in notes if note.rank == rank] for rank in sorted(ranks)]


def _cores(notes: Sequence[_Note]) -> float:
    seconds = sum(note.record.seconds for note in notes)
    return sum(note.record.cpu_s for note in notes) / seconds if seconds else 0.0


def _memory_of_node(notes: Sequence[_Note], ranks_per_node: int) -> float:
    nodes: dict[tuple[int, int], float] = {}
    for note in notes:
        node = (note.attempt, note.rank // ranks_per_node)
        nodes[node] = nodes.get(node, 0.0) + note.memory_mb
    return max(nodes.values())


def _mean(pairs: Iterable[tuple[float | None, float]]) -> float | None:
    """Of values and what they weigh."""
    known = [(value, weight) for value, weight in pairs if value is not None]
    weight = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / weight if weight else None
