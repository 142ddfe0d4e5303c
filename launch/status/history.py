"""How each attempt of an experiment ended, by the derivation that `pcm status` goes by."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from launch.status.derive import AttemptFacts, derive_state
from launch.status.facts import attempt_facts
from launch.status.state import State, Status
from launch.store import Experiment
from pcm.run_dir import AttemptDir

_WORDS = {State.DONE: "finished", State.RUNNING: "runs", State.STOPPING: "is stopping"}
"""For states whose names are no ends of an attempt."""


def ends(experiment: Experiment, status: Status) -> list[tuple[AttemptDir, str]]:
    """The attempts, the newest last, and in a few words how each ended.

    Args:
        status: where the experiment stands.
    """
    attempts = experiment.run_dir.attempts()
    facts = [attempt_facts(files) for files in attempts]
    former = [_end_of_former(each, later) for each, later in pairwise(facts)]
    return list(zip(attempts, [*former, *_end_of_newest(facts, status)], strict=True))


def _end_of_former(attempt: AttemptFacts, later: AttemptFacts) -> str:
    """Of one that another attempt has followed, so it is over whatever its processes do."""
    if attempt.comes_back:
        return _said(State.REQUEUED, attempt.verdict or "")
    state, detail = derive_state(replace(attempt, is_alive=False), is_cancelled=False)
    is_same_job = attempt.job is not None and attempt.job == later.job
    if state is State.LOST and is_same_job:
        return _said(State.REQUEUED, "by Slurm, with no word of its own")
    return _said(state, "; ".join(filter(None, [detail, attempt.lost])))


def _end_of_newest(attempts: Sequence[AttemptFacts], status: Status) -> list[str]:
    if not attempts:
        return []
    newest = attempts[-1]
    is_of_another_job = newest.job is not None and newest.job != status.job
    if status.state in (State.PENDING, State.NEW) or is_of_another_job:
        # What the experiment waits for is another attempt, which is to come.
        state, detail = derive_state(replace(newest, is_alive=False), is_cancelled=False)
        return [_said(state, detail)]
    if status.state is State.REQUEUED:
        return [_said(State.REQUEUED, newest.verdict or "")]
    return [_said(status.state, status.detail)]


def _said(state: State, detail: str) -> str:
    return ": ".join(filter(None, [_WORDS.get(state, state), detail]))
