"""What rank 0 does to bring a job back, against a Slurm that answers as it is told."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from launch.slurm import controller
from launch.slurm.commands import Answer
from launch.status.facts import attempt_facts
from launch.store import Experiment
from launch.store.records import read_record
from launch.supervisor import sending_back as module
from launch.supervisor.attempt import Attempt
from launch.supervisor.job import Job
from launch.supervisor.requeue import Verdict
from launch.supervisor.sending_back import bring_back, send_back
from pcm.errors import RefusedError
from pcm.run_dir import write_json

DISABLED = "Requested operation is presently disabled for job 7_3"
UNREACHABLE = "Unable to contact slurm controller (connect failure)"
TIME_LIMIT = Verdict("time_limit", comes_back=True, is_ours=True)
RUNS = "JobId=9 JobState=RUNNING Restarts=0"

Scontrol = Callable[..., list[tuple[str, ...]]]


@pytest.fixture
def scontrol(monkeypatch: pytest.MonkeyPatch) -> Scontrol:
    """Has scontrol answer calls with these texts, one after the other; an error is raised."""

    def behave(*answers: str | RefusedError) -> list[tuple[str, ...]]:
        calls: list[tuple[str, ...]] = []
        left = list(answers)

        def ask(*words: str, patience_s: float) -> str:
            assert patience_s > 0
            calls.append(words[1:])
            answer = left.pop(0)
            if isinstance(answer, RefusedError):
                raise answer
            return answer

        monkeypatch.setattr(controller, "ask", ask)
        monkeypatch.setattr(controller, "PAUSE_S", 0.0)
        return calls

    return behave


@pytest.fixture
def attempt(experiment: Experiment) -> Attempt:
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"executor": "slurm", "job_id": "7_3", "key": "7_3-0"})
    write_json(files.verdict, TIME_LIMIT.record())
    return Attempt(experiment.launch, experiment.run_dir, files, [], [], 1)


@pytest.fixture
def job(job: Job) -> Job:
    return replace(job, id="7_3", key="7_3-0", token="a" * 32)


def test_more_memory_is_asked_for_after_the_requeue(job: Job, scontrol: Scontrol) -> None:
    calls = scontrol("", "")
    send_back(replace(job, id="7_3"), Verdict("out_of_memory", memory=("MinMemoryNode", 300)))
    assert calls == [("requeue", "7_3"), ("update", "JobId=7_3", "MinMemoryNode=300")]


def test_until_it_is_sent_back_the_verdict_says_so(
    attempt: Attempt, job: Job, scontrol: Scontrol
) -> None:
    assert attempt_facts(attempt.files).not_sent_back == "its supervisor did not get that far"
    scontrol("")
    bring_back(attempt, job, TIME_LIMIT)
    assert attempt_facts(attempt.files).not_sent_back is None
    assert attempt_facts(attempt.files).comes_back


def test_a_controller_that_does_not_answer_is_asked_again(job: Job, scontrol: Scontrol) -> None:
    calls = scontrol(*[RefusedError(UNREACHABLE)] * 5, RefusedError("scontrol gave no answer"), "")
    assert send_back(job, TIME_LIMIT) is None
    assert calls == [("requeue", "7_3")] * 7


def test_a_request_that_was_obeyed_without_an_answer_counts(job: Job, scontrol: Scontrol) -> None:
    pending = RefusedError("Job is pending execution for job 7_3")
    scontrol(RefusedError(UNREACHABLE), pending, RUNS.replace("Restarts=0", "Restarts=1"))
    assert send_back(job, TIME_LIMIT) is None


def test_where_slurm_refuses_another_job_goes_on(
    attempt: Attempt, job: Job, scontrol: Scontrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def call(command: list[str], _patience_s: float) -> Answer:
        commands.append(command[1:])
        return Answer(0, "8\n", "")

    monkeypatch.setattr(module, "call", call)
    scontrol(RefusedError(DISABLED), RUNS)
    verdict = replace(TIME_LIMIT, reason="out_of_memory", memory=("MinMemoryCPU", 300))
    bring_back(attempt, job, verdict)
    [[*_, module_name, folder, experiment_id, after, memory]] = commands
    assert module_name == "launch.submit.continuing"
    assert folder.endswith("a" * 32)
    assert (experiment_id, after, memory) == (attempt.run_dir.path.name, "7_3", "MinMemoryCPU=300")
    detail = read_record(attempt.files.verdict)["detail"]
    assert detail == f"{DISABLED}; job 8 goes on in its place"
    assert attempt_facts(attempt.files).not_sent_back is None


def test_what_can_be_neither_sent_back_nor_handed_over_says_why(
    attempt: Attempt, job: Job, scontrol: Scontrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "call", lambda *_: Answer(4, "", "it is full\n"))
    scontrol(RefusedError(DISABLED), RUNS)
    bring_back(attempt, job, TIME_LIMIT)
    told = attempt_facts(attempt.files).not_sent_back
    assert told == f"{DISABLED}; nor another job in its place: it is full"


def test_verdicts_of_earlier_versions_count_as_sent_back(attempt: Attempt) -> None:
    old = {"reason": "preempted", "comes_back": True, "detail": ""}
    attempt.files.verdict.write_text(json.dumps(old))
    assert attempt_facts(attempt.files).not_sent_back is None
