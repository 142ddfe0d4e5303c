"""States from facts, every combination that matters."""

from dataclasses import replace

import pytest

from launch.status.derive import AttemptFacts, Phase, Place, derive_state
from launch.status.state import State

RUNS = AttemptFacts(number=1, is_alive=True)
ENDED = AttemptFacts(number=1, is_alive=False)


def state_of(
    attempt: AttemptFacts | None, *, is_queued: bool = False, is_cancelled: bool = False
) -> State:
    place = Place(Phase.WAITING) if is_queued else None
    return derive_state(attempt, place, is_cancelled=is_cancelled)[0]


@pytest.mark.parametrize(
    ("attempt", "state"),
    [
        (None, State.NEW),
        (RUNS, State.RUNNING),
        (replace(RUNS, stop_reason="cancel"), State.STOPPING),
        (replace(RUNS, is_stopped=True, stop_reason="interrupt"), State.STOPPING),
        (replace(RUNS, failure="rank 1: exit code 1"), State.FAILED),
        (replace(ENDED, is_finished=True), State.DONE),
        (replace(ENDED, is_finished=True, failure="rank 1: exit code 1"), State.DONE),
        (replace(ENDED, is_finished=True, stop_reason="cancel"), State.DONE),
        (replace(ENDED, is_stopped=True, stop_reason="interrupt"), State.STOPPED),
        (replace(ENDED, stop_reason="interrupt"), State.STOPPED),
        (replace(ENDED, is_stopped=True, stop_reason="cancel"), State.CANCELLED),
        (replace(ENDED, stop_reason="cancel"), State.CANCELLED),
        (replace(ENDED, stop_reason="cancel", failure="rank 0: exit code 1"), State.CANCELLED),
        (replace(ENDED, stop_reason="interrupt", failure="rank 0: exit code 1"), State.FAILED),
        (replace(ENDED, failure="rank 0: exit code 1"), State.FAILED),
        (ENDED, State.LOST),
    ],
)
def test_an_attempt_decides(attempt: AttemptFacts | None, state: State) -> None:
    assert state_of(attempt) is state


@pytest.mark.parametrize("attempt", [None, ENDED, replace(ENDED, failure="rank 0: exit code 1")])
def test_what_waits_again_is_pending_whatever_was_before(attempt: AttemptFacts | None) -> None:
    assert state_of(attempt, is_queued=True) is State.PENDING


@pytest.mark.parametrize("attempt", [None, ENDED, replace(ENDED, is_stopped=True)])
def test_what_was_cancelled_stays_so_even_in_a_queue(attempt: AttemptFacts | None) -> None:
    assert state_of(attempt, is_queued=True, is_cancelled=True) is State.CANCELLED


def test_a_cancellation_undoes_no_end() -> None:
    assert state_of(replace(ENDED, is_finished=True), is_cancelled=True) is State.DONE
    assert state_of(replace(RUNS, stop_reason="cancel"), is_cancelled=True) is State.STOPPING


def test_details_say_what_the_state_does_not() -> None:
    def detail(attempt: AttemptFacts) -> str:
        return derive_state(attempt, is_cancelled=False)[1]

    assert (
        detail(replace(ENDED, failure="rank 1: killed by SIGKILL")) == "rank 1: killed by SIGKILL"
    )
    assert "before it wrote a checkpoint" in detail(replace(ENDED, stop_reason="interrupt"))
    assert detail(replace(ENDED, trouble="attempt.json is torn")) == "attempt.json is torn"
    assert "left no word" in detail(ENDED)
    assert detail(RUNS) == ""


def test_every_state_is_active_or_ended_or_waits() -> None:
    waits = {State.NEW, State.PENDING, State.REQUEUED}
    assert {state for state in State if not state.is_active and not state.is_ended} == waits
    assert not any(state.is_active and state.is_ended for state in State)


JOB = replace(ENDED, job="7_1", restarts=0)
WAITS = Place(Phase.WAITING, "7_1", detail="waits for free nodes (Resources)")
HOLDS = Place(Phase.RUNNING, "7_1")
GONE = Place(Phase.GONE, "7_1")
UNLISTED = Place(Phase.UNLISTED, "7_1", detail="Slurm does not list it")
OVER = Place(Phase.OVER, "7_1", word="CANCELLED")
SILENT = Place(Phase.UNKNOWN, "7_1", detail="Slurm does not answer")
PREEMPTED = replace(
    JOB, is_stopped=True, stop_reason="interrupt", verdict="preempted", comes_back=True
)

NOT_SENT_BACK = replace(PREEMPTED, not_sent_back="Slurm forbids it")


@pytest.mark.parametrize(
    ("attempt", "place", "state"),
    [
        (None, WAITS, State.PENDING),
        (None, replace(WAITS, restarts=1), State.REQUEUED),
        (None, HOLDS, State.RUNNING),
        (None, SILENT, State.PENDING),
        (None, GONE, State.LOST),
        (None, UNLISTED, State.PENDING),
        (None, Place(Phase.OVER, "7_1", word="FAILED"), State.FAILED),
        (None, Place(Phase.OVER, "7_1", word="COMPLETED"), State.FAILED),
        (None, Place(Phase.OVER, "7_1", word="CANCELLED", trace="a log"), State.CANCELLED),
        (None, replace(GONE, trace="the disk is full"), State.FAILED),
        (None, Place(Phase.OVER, "7_1", word="CANCELLED"), State.CANCELLED),
        (None, Place(Phase.OVER, "7_1", word="NODE_FAIL"), State.LOST),
        # An older job's attempt says nothing of the newest job.
        (replace(JOB, job="3_1", failure="rank 0: it broke"), WAITS, State.PENDING),
        (replace(JOB, job="3_1", failure="rank 0: it broke"), HOLDS, State.RUNNING),
        # An interrupted attempt's job.
        (PREEMPTED, HOLDS, State.REQUEUED),
        (PREEMPTED, replace(WAITS, restarts=1), State.REQUEUED),
        (PREEMPTED, replace(HOLDS, restarts=1), State.RUNNING),
        (PREEMPTED, SILENT, State.REQUEUED),
        (PREEMPTED, GONE, State.LOST),
        (PREEMPTED, UNLISTED, State.REQUEUED),
        (PREEMPTED, Place(Phase.OVER, "7_1", word="CANCELLED"), State.CANCELLED),
        # Its checkpoint took longer than KillWait.
        (replace(JOB, stop_reason="interrupt"), OVER, State.CANCELLED),
        (replace(JOB, stop_reason="interrupt", failure="rank 1"), OVER, State.CANCELLED),
        (replace(JOB, failure="rank 1: it broke before"), OVER, State.FAILED),
        (JOB, UNLISTED, State.LOST),
        (replace(PREEMPTED, comes_back=False), GONE, State.STOPPED),
        # Nobody has sent its job back, so nobody took it out of the queue either.
        (NOT_SENT_BACK, GONE, State.STOPPED),
        (NOT_SENT_BACK, Place(Phase.OVER, "7_1", word="COMPLETED"), State.STOPPED),
        (NOT_SENT_BACK, Place(Phase.OVER, "7_1", word="CANCELLED"), State.CANCELLED),
        (NOT_SENT_BACK, HOLDS, State.REQUEUED),
        (NOT_SENT_BACK, replace(WAITS, restarts=1), State.REQUEUED),
        (replace(NOT_SENT_BACK, failure="rank 0: it broke"), GONE, State.FAILED),
        # Its processes have ended and nobody knows yet what comes of it.
        (replace(JOB, is_stopped=True, stop_reason="interrupt"), HOLDS, State.STOPPING),
        # Ends.
        (replace(JOB, failure="rank 0: it broke"), HOLDS, State.FAILED),
        (replace(JOB, failure="rank 0: it broke", comes_back=True), HOLDS, State.REQUEUED),
        (replace(JOB, verdict="cancel"), GONE, State.CANCELLED),
        (JOB, Place(Phase.OVER, "7_1", word="CANCELLED"), State.CANCELLED),
        (JOB, GONE, State.LOST),
        (JOB, SILENT, State.RUNNING),
        (replace(JOB, is_alive=True), SILENT, State.RUNNING),
        (replace(JOB, is_finished=True), WAITS, State.DONE),
    ],
)
def test_the_queue_decides_what_the_files_leave_open(
    attempt: AttemptFacts | None, place: Place, state: State
) -> None:
    assert derive_state(attempt, place, is_cancelled=False)[0] is state


@pytest.mark.parametrize("place", [WAITS, HOLDS, GONE, SILENT])
def test_a_cancelled_one_is_cancelled_wherever_its_job_is(place: Place) -> None:
    assert derive_state(JOB, place, is_cancelled=True)[0] is State.CANCELLED


def test_the_schedulers_word_is_passed_on() -> None:
    def detail(attempt: AttemptFacts | None, place: Place) -> str:
        return derive_state(attempt, place, is_cancelled=False)[1]

    over = Place(Phase.OVER, "7_1", word="OUT_OF_MEMORY")
    assert detail(None, WAITS) == "waits for free nodes (Resources)"
    assert detail(JOB, over).endswith("Slurm says OUT_OF_MEMORY")
    failed = replace(JOB, failure="rank 0: killed by SIGKILL")
    assert detail(failed, over) == "rank 0: killed by SIGKILL; Slurm says OUT_OF_MEMORY"
    assert detail(failed, replace(over, word="FAILED")) == "rank 0: killed by SIGKILL"
    assert detail(None, SILENT) == "Slurm does not answer"
    assert detail(NOT_SENT_BACK, GONE) == "preempted, not sent back: Slurm forbids it"
