"""Noticing that there is something to tell, and telling it once, whoever notices."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from launch.notify.message import Message, end_message, failure_message
from launch.status.derive import derive_state
from launch.status.facts import attempt_facts
from launch.status.state import Line, State, Status
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.store.records import read_attempt
from launch.store.trust import require_trusted_launch
from launch.telling import Tell
from pcm.errors import PcmError
from pcm.run_dir import AttemptDir, write_json
from pcm.run_dir.trust import make_folder


def notice_end(launch: LaunchDir, experiment_id: str, tell: Tell) -> None:
    """An experiment has ended: tell those who want to know, if it is the first that failed, or
    the last of its sweep. What can't be sent is told here, and left to whoever notices next.
    """
    newest = RunsRoot(launch.root).launches(launch.sweep_name)[-1]
    targets = newest.record.get("notify") or []
    if not targets:
        return
    # The record names a program, perhaps.
    require_trusted_launch(newest)
    experiments = {each["id"]: Experiment(newest, each) for each in newest.point_records()}
    if experiment_id in experiments:
        line = _line(experiments[experiment_id])
        if line is not None and line.state is State.FAILED:
            tell_once(newest, "failure", failure_message(newest, line), tell)
    lines = _lines_if_all_ended(list(experiments.values()))
    if lines is not None:
        message = end_message(newest, lines, list(experiments.values()))
        tell_once(newest, "end", message, tell)


def _lines_if_all_ended(experiments: Sequence[Experiment]) -> list[Line] | None:
    """Where all stand; None as soon as one is found that goes on.

    The last ones of a grid begin last, so one look at the end of the list mostly says it.
    """
    lines: list[Line] = []
    for experiment in reversed(experiments):
        line = _line(experiment)
        if line is None:
            return None
        lines.append(line)
    return lines[::-1]


def _line(experiment: Experiment) -> Line | None:
    """Where an experiment stands that has ended for good; None for one that has not.

    Files alone decide: two that end at the same moment see each other's files, while the
    processes of both still live.
    """
    attempts = experiment.run_dir.attempts()
    is_cancelled = RunsRoot(experiment.launch.root).cancelled(experiment.id).exists()
    if attempts and not has_last_word(attempts[-1]):
        return None
    facts = replace(attempt_facts(attempts[-1]), is_alive=False) if attempts else None
    if facts is not None and facts.comes_back:
        return None
    state, detail = derive_state(facts, is_cancelled=is_cancelled)
    status = Status(state, detail)
    return Line(experiment.id, experiment.name, status) if state.is_ended else None


def has_last_word(files: AttemptDir) -> bool:
    """Whether its last word is written: in Slurm, whether the job comes back."""
    if files.finished.exists() or files.verdict.exists():
        return True
    return read_attempt(files).executor != "slurm" and (
        files.stopped.exists() or files.failed.exists()
    )


def tell_once(launch: LaunchDir, occasion: str, message: Message, tell: Tell) -> None:
    """Send a message to all who want to know and were not told of the occasion yet."""
    for target in launch.record["notify"]:
        told = launch.notified(occasion, target)
        if told.exists():
            continue
        make_folder(told.parent, exist_ok=True)
        _send_alone(target, message, told, tell)


def _send_alone(target: str, message: Message, told: Path, tell: Tell) -> None:
    # This, mail and HTTP take long to import, and most experiments that end have nobody told.
    from filelock import FileLock, Timeout

    # The lock of one that is killed while it sends is free again, and the next one sends.
    with suppress(Timeout), FileLock(told.with_suffix(".lock"), timeout=0):
        if not told.exists():
            _send(target, message, told, tell)


def _send(target: str, message: Message, told: Path, tell: Tell) -> None:
    from launch.notify.sending import send

    # Written before: where the disk is full, nothing is sent that would be sent again.
    sending = told.with_suffix(".sending")
    write_json(sending, {"subject": message.subject})
    try:
        send(target, message)
    except PcmError as error:
        tell(f"warning: {error}")
    else:
        sending.replace(told)
