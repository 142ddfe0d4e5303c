"""What experiments printed: the logs of an attempt's ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.store.store import Experiment
from pcm.errors import NotFoundError
from pcm.run_dir import AttemptDir, RunDir


@dataclass(frozen=True, slots=True)
class Log:
    """What one rank printed in one attempt.

    Attributes:
        id: of the experiment.
        path: may grow as long as the attempt lasts.
    """

    id: str
    attempt: int
    rank: int
    path: Path

    def text(self) -> str:
        """All of it; bytes that are no UTF-8 are replaced."""
        return self.path.read_text(encoding="utf-8", errors="replace")


def logs_of(
    experiments: Sequence[Experiment], rank: int | None, number: int | None
) -> Iterator[Log]:
    """The logs of one attempt of each experiment, as far as there are any, by rank.

    Args:
        rank: None for all.
        number: of the attempt; None for each one's newest.
    """
    for experiment in experiments:
        files = find_attempt(experiment.run_dir, number)
        if files is not None:
            for path in rank_logs(files, rank):
                yield Log(experiment.id, files.number, _rank(path), path)


def find_attempt(run_dir: RunDir, number: int | None) -> AttemptDir | None:
    """An attempt by its number, the newest for None; None where there is none."""
    numbers = {each.number: each for each in run_dir.attempts()}
    return numbers.get(max(numbers, default=0) if number is None else number)


def attempt_of(run_dir: RunDir, number: int | None) -> AttemptDir:
    """An attempt by its number; the newest for None.

    Raises:
        NotFoundError: there is none.
    """
    found = find_attempt(run_dir, number)
    if found is not None:
        return found
    attempts = run_dir.attempts()
    if not attempts:
        raise NotFoundError(
            f"experiment {run_dir.path.name} has not started yet",
            f"pcm why {run_dir.path.name}",
        )
    numbers = ", ".join(str(attempt.number) for attempt in attempts)
    raise NotFoundError(f"there is no attempt {number}", f"there is {numbers}")


def rank_logs(files: AttemptDir, rank: int | None) -> list[Path]:
    """The logs of a rank, or of all, that are there."""
    if rank is not None:
        return [files.log(rank)] if files.log(rank).exists() else []
    return sorted(files.path.glob("rank-*.log"), key=_rank)


def require_logs(files: AttemptDir, rank: int | None) -> None:
    """Refuse an attempt without a log of that rank, or of any.

    Raises:
        NotFoundError: with those that there are.
    """
    if not rank_logs(files, rank):
        there = ", ".join(path.stem for path in rank_logs(files, None))
        raise NotFoundError(
            f"attempt {files.number} has no output{'' if rank is None else f' of rank {rank}'}",
            f"there is {there or 'none of any rank'}",
        )


def _rank(log: Path) -> int:
    return int(log.stem.rpartition("-")[2])
