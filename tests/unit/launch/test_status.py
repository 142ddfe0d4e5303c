"""States from facts, every combination that matters."""

from dataclasses import replace

import pytest

from launch.status import AttemptFacts, Phase, Place, State, derive_state

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
