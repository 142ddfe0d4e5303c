"""Taking jobs out of Slurm's queue, many at once."""

from collections.abc import Collection, Sequence

from launch.slurm.commands import ask, cluster_option

_WORDS = 500
"""Of one call: a command line has an end."""

_RANGES = 100
"""In one word: Slurm reads no endless ones."""


def scancel(tasks: Collection[str], cluster: str | None = None) -> None:
    """Take jobs out of Slurm's queue, or end them; those that have ended already don't matter.

    Args:
        tasks: their ids.
        cluster: theirs; None for the one that this machine belongs to.

    Raises:
        RefusedError: Slurm did not take it.
    """
    for words in _chunks(task_ranges(tasks), _WORDS):
        ask("scancel", "--quiet", *cluster_option(cluster), *words)


def task_ranges(tasks: Collection[str]) -> list[str]:
    """Ids as few words: `7_1`, `7_2`, `7_3`, `9` become `7_[1-3]`, `9`."""
    words = [task for task in tasks if "_" not in task]
    arrays: dict[str, list[int]] = {}
    for task in tasks:
        job, is_array, index = task.partition("_")
        if is_array:
            arrays.setdefault(job, []).append(int(index))
    for job, indices in arrays.items():
        words += [f"{job}_[{part}]" for part in _chunks_of_ranges(sorted(set(indices)))]
    return words


def _chunks(words: Sequence[str], size: int) -> list[Sequence[str]]:
    return [words[start : start + size] for start in range(0, len(words), size)]


def _chunks_of_ranges(indices: Sequence[int]) -> list[str]:
    """Sorted numbers as ranges, a few to a word."""
    starts = [
        each for place, each in enumerate(indices) if not place or indices[place - 1] < each - 1
    ]
    ends = [
        each for each, after in zip(indices, [*indices[1:], None], strict=True) if after != each + 1
    ]
    ranges = [f"{a}-{b}" if a < b else str(a) for a, b in zip(starts, ends, strict=True)]
    return [",".join(part) for part in _chunks(ranges, _RANGES)]
