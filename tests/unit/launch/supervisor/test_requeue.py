"""Which jobs come back, by what Slurm says of them."""

from dataclasses import replace

import pytest

from launch.site.retries import OutOfMemoryRetries, Retries
from launch.slurm.controller import JobFacts
from launch.supervisor.requeue import FRUITLESS_MOST, Ending, Verdict, decide

RUNNING = JobFacts("RUNNING", "None", 0, is_preempted=False, ends=10_000.0, memory=None)
PREEMPTED = replace(RUNNING, is_preempted=True)
STOPPED = Ending(
    is_failure=False,
    is_cancelled=False,
    is_out_of_memory=False,
    stopped_by="SIGTERM",
    time=1_000.0,
    fruitless=0,
    failures=0,
    out_of_memory=0,
)
FAILED = replace(STOPPED, is_failure=True, failures=1, stopped_by="")
STARVED = replace(FAILED, is_out_of_memory=True, failures=0, out_of_memory=1)


def verdict(
    facts: JobFacts | None, ending: Ending = STOPPED, retries: Retries | None = None
) -> Verdict:
    """The verdict on a job that was never sent back before."""
    return decide(facts, 0, ending, retries or Retries())


def comes_back_as(found: Verdict) -> str | None:
    """The reason if we are to send it back."""
    assert found.comes_back == found.is_ours
    return found.reason if found.comes_back else None


def test_what_is_preempted_comes_back() -> None:
    assert comes_back_as(verdict(PREEMPTED)) == "preempted"


def test_a_failure_while_it_is_preempted_is_the_preemption() -> None:
    assert comes_back_as(verdict(PREEMPTED, FAILED)) == "preempted"


@pytest.mark.parametrize("state", ["COMPLETING", "CANCELLED", "FAILED"])
@pytest.mark.parametrize("ending", [STOPPED, FAILED, STARVED])
def test_what_is_cancelled_does_not(state: str, ending: Ending) -> None:
    found = verdict(replace(PREEMPTED, state=state), ending, Retries(failures=9))
    assert (found.reason, found.comes_back) == ("cancel", False)


@pytest.mark.parametrize("state", ["COMPLETING", "PREEMPTED"])
@pytest.mark.parametrize("ending", [STOPPED, FAILED])
def test_what_a_preemption_ended_was_cancelled_by_nobody(state: str, ending: Ending) -> None:
    over = replace(PREEMPTED, state=state, is_preemption_its_end=True)
    assert comes_back_as(verdict(over, ending)) == "preempted"


def test_pcm_cancel_counts_whatever_slurm_says() -> None:
    found = verdict(PREEMPTED, replace(STOPPED, is_cancelled=True))
    assert (found.reason, found.comes_back) == ("cancel", False)


@pytest.mark.parametrize("ending", [STOPPED, FAILED, STARVED])
def test_what_the_controller_has_waiting_again_is_not_cancelled(ending: Ending) -> None:
    found = verdict(replace(RUNNING, state="PENDING"), ending)
    assert (found.reason, found.comes_back, found.is_ours) == ("requeued", True, False)


def test_what_slurm_sent_back_itself_is_left_alone() -> None:
    found = verdict(replace(PREEMPTED, state="COMPLETING", restarts=1))
    assert (found.reason, found.comes_back, found.is_ours) == ("requeued", True, False)


@pytest.mark.parametrize("signal", ["SIGUSR1", "SIGUSR2"])
def test_a_warning_is_the_time_limits(signal: str) -> None:
    assert comes_back_as(verdict(RUNNING, replace(STOPPED, stopped_by=signal))) == "time_limit"


def test_the_end_of_time_is_the_time_limits_whatever_came() -> None:
    assert comes_back_as(verdict(replace(RUNNING, ends=1_100.0))) == "time_limit"
    over = replace(RUNNING, state="COMPLETING", reason="TimeLimit")
    assert comes_back_as(verdict(over)) == "time_limit"


@pytest.mark.parametrize("ends", [10_000.0, None])
def test_a_polite_signal_at_any_other_time_is_a_persons(ends: float | None) -> None:
    found = verdict(replace(RUNNING, ends=ends))
    assert (found.reason, found.comes_back) == ("interrupt", False)
    assert found.detail == "stopped by SIGTERM"


def test_without_an_answer_nothing_is_sent_back() -> None:
    found = verdict(None)
    assert (found.reason, found.comes_back) == ("unknown", False)
    assert "did not answer" in found.detail


def test_without_an_answer_a_warning_can_only_be_the_time_limits() -> None:
    assert comes_back_as(verdict(None, replace(STOPPED, stopped_by="SIGUSR2"))) == "time_limit"
    assert comes_back_as(verdict(None, replace(FAILED, stopped_by="SIGUSR2"))) is None


def test_the_record_tells_whether_it_is_sent_back() -> None:
    assert verdict(PREEMPTED).record()["is_sent_back"] is False
    assert replace(verdict(PREEMPTED), is_sent_back=True).record()["is_sent_back"] is True
    requeued = verdict(replace(PREEMPTED, restarts=1))
    assert requeued.record()["is_sent_back"] is True


def test_going_round_and_round_has_an_end() -> None:
    ending = replace(STOPPED, fruitless=FRUITLESS_MOST - 1)
    assert comes_back_as(verdict(PREEMPTED, ending)) == "preempted"
    found = verdict(PREEMPTED, replace(STOPPED, fruitless=FRUITLESS_MOST))
    assert not found.comes_back
    assert f"{FRUITLESS_MOST} attempts in a row" in found.record()["detail"]


def test_a_node_that_fell_silent_is_slurms_business() -> None:
    silent = replace(FAILED, is_silent=True, failures=0)
    assert comes_back_as(verdict(RUNNING, silent)) == "node_fail"
    stuck = replace(silent, fruitless=FRUITLESS_MOST)
    assert verdict(RUNNING, stuck).reason == "node_fail"
    assert comes_back_as(verdict(RUNNING, stuck)) is None


def test_failures_come_back_as_often_as_asked_for() -> None:
    assert comes_back_as(verdict(RUNNING, FAILED)) is None
    retries = Retries(failures=2)
    assert comes_back_as(verdict(RUNNING, FAILED, retries)) == "failed"
    assert comes_back_as(verdict(RUNNING, replace(FAILED, failures=2), retries)) == "failed"
    assert comes_back_as(verdict(RUNNING, replace(FAILED, failures=3), retries)) is None


def test_lack_of_memory_is_met_with_more() -> None:
    facts = replace(RUNNING, memory=("MinMemoryNode", 1000))
    retries = Retries(failures=5, out_of_memory=OutOfMemoryRetries(1, 1.5))
    found = verdict(facts, STARVED, retries)
    assert comes_back_as(found) == "out_of_memory"
    assert found.memory == ("MinMemoryNode", 1500)
    assert "1500 MB" in found.detail
    again = verdict(facts, replace(STARVED, out_of_memory=2), retries)
    assert (again.reason, again.comes_back) == ("out_of_memory", False)


def test_lack_of_memory_is_no_other_failure_and_no_time_limit() -> None:
    facts = replace(RUNNING, memory=("MinMemoryNode", 1000), ends=1_001.0)
    found = verdict(facts, STARVED, Retries(failures=5))
    assert (found.reason, found.comes_back) == ("out_of_memory", False)
