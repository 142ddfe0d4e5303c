"""Experiments on their way to Slurm: as many as it has room for, the others written down."""

from collections.abc import Callable, Iterator, Sequence

from launch.site import Site
from launch.store import Experiment, LaunchDir
from launch.store.submissions import Submission, forget_unsubmitted, note_unsubmitted
from launch.submit.array import SBATCH_PATIENCE_S, submit_array
from launch.submit.requests import ArrayRequest
from launch.submit.sbatch_errors import NoRoomError
from launch.text import counted
from pcm.errors import RefusedError

IMPATIENCE_S = 10.0
"""For sbatch where there was no room a moment ago: with a full job table it takes minutes."""


class Wave:
    """Experiments that are handed over together.

    What Slurm hasn't got of them is on disk at any moment, see `launch.store.submissions`.

    Args:
        tell: called with what a person who waits wants to know, e.g. the id of each array.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.
        is_again: whether there was no room for them before.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        site: Site,
        tell: Callable[[str], None],
        *,
        checkpoint: str | None,
        is_again: bool,
    ) -> None:
        self._count = len(experiments)
        self._launches: dict[LaunchDir, list[str]] = {}
        for each in experiments:
            self._launches.setdefault(each.launch, []).append(each.id)
        self._site = site
        self._tell = tell
        self._checkpoint = checkpoint
        self._patience_s = IMPATIENCE_S if is_again else SBATCH_PATIENCE_S
        self._taken: set[str] = set()

    def submit(self, requests: Sequence[ArrayRequest], after: Sequence[str]) -> NoRoomError | None:
        """Hand them over.

        Args:
            after: ids of arrays that have to end before any of these.

        Returns:
            None if Slurm has taken all of them; else that it has no room for the rest.

        Raises:
            RefusedError: Slurm doesn't take them for another reason.
        """
        self._note()
        forget_unsubmitted(self._launches)
        try:
            self._submit(requests, after)
        except NoRoomError as error:
            self._note(error.said)
            return NoRoomError(f"{self._progress}, Slurm has no room for the rest", error.said)
        except RefusedError as error:
            self._note(error.message)
            if not self._taken:
                raise
            text = f"{self._progress}, the rest are not: {error.message}"
            raise RefusedError(text, error.hint) from error
        self._note()
        return None

    def _submit(self, requests: Sequence[ArrayRequest], after: Sequence[str]) -> None:
        last: list[str] = []
        for request in requests:
            before = [] if request.after is None else [last[request.after]]
            for submission in self._fill(request, [*after, *before]):
                self._taken.update(submission.array)
                self._tell(f"job {submission.job_id}: {_size(submission)}")
            last.append(str(submission.job_id))

    def _fill(self, request: ArrayRequest, after: Sequence[str]) -> Iterator[Submission]:
        """Hand a request over, in one array if it can be, else in ever smaller ones.

        Nobody says how much room there is, so halving finds out. The parts of an array that
        is throttled run one after the other.
        """
        # `most`: what may still fit. Until Slurm says no, that is all of it, in one call; from
        # then on half of it is tried each time, so that a refusal and a success both narrow it
        # down, and all that fits is in after about log2(n) refusals. Those cost: with a full
        # job table sbatch sleeps for minutes before each, hence the short patience.
        left, most, no_room = request, request.tasks, None
        while left.ids:
            if most == 0:  # not even one more
                assert no_room is not None
                raise no_room
            size = most if no_room is None else (most + 1) // 2
            try:
                submission = self._submit_array(left.first(size), after)
            except NoRoomError as error:
                most, no_room = size - 1, error
                self._patience_s = IMPATIENCE_S
                continue
            # Slurm has it: noted before anything else is tried, which may fail.
            yield submission
            left, most = left.without_first(size), most - size
            # Each part has the whole share of `max_parallel`, so two at once would exceed it.
            if request.parallel < request.tasks:
                after = [str(submission.job_id)]

    def _submit_array(self, request: ArrayRequest, after: Sequence[str]) -> Submission:
        return submit_array(
            request,
            self._site,
            self._tell,
            after=":".join(after) or None,
            checkpoint=self._checkpoint,
            patience_s=self._patience_s,
        )

    @property
    def _progress(self) -> str:
        return f"{len(self._taken):,} of {self._count:,} experiments are submitted"

    def _note(self, reason: str = "") -> None:
        for launch, ids in self._launches.items():
            note_unsubmitted(launch, wanted=ids, taken=self._taken, reason=reason)


def _size(submission: Submission) -> str:
    experiments = counted(len(submission.array), "experiment")
    if submission.pack is None:
        return experiments
    return f"{experiments} in {counted(submission.tasks, 'allocation')}"
