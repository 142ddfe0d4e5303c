"""Who is told of what, and how often."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from launch.notify import occasions, sending
from launch.notify.message import Message
from launch.notify.occasions import notice_end
from launch.notify.sending import send
from launch.store import Experiment
from launch.store.layout import RunsRoot
from launch.store.markers import cancel
from pcm.errors import RefusedError
from pcm.run_dir import write_json
from pcm.run_dir.attempt_records import AttemptRecord, VerdictRecord
from pcm.run_dir.records import FailureRecord, FinishedRecord
from pcm.run_dir.summary import MetricSummary, Summary, write_summary
from pcm.run_dir.typed_json import write
from tests.local.launches import make_launch
from tests.webhook import SECRET, Listener


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Any:
    listener = Listener()
    monkeypatch.setenv("PCM_NOTIFY_WEBHOOK", listener.address)
    yield listener
    listener.close()


def told(program: Path) -> list[str]:
    file = program.with_name("told")
    return file.read_text().split("----\n")[:-1] if file.exists() else []


def sweep(root: Path, notify: list[str], names: tuple[str, ...] = ("a", "b", "c")) -> Any:
    experiments = make_launch(root, names)
    record = experiments[0].launch.sweep
    write_json(record, {**json.loads(record.read_text()), "notify": notify})
    return experiments


def end(experiment: Experiment, record: object, executor: str = "local") -> None:
    """Its newest attempt comes to this end."""
    files = experiment.run_dir.attempt(len(experiment.run_dir.attempts()) + 1)
    files.path.mkdir(parents=True)
    write(files.attempt, AttemptRecord(number=files.number, executor=executor))
    names = {FinishedRecord: files.finished, FailureRecord: files.failed}
    write(names[type(record)], record)


def notice(experiment: Experiment) -> list[str]:
    warnings: list[str] = []
    notice_end(experiment.launch, experiment.id, warnings.append)
    return warnings


def test_the_first_failure_and_the_end_are_told_once(tmp_path: Path, program: Path) -> None:
    experiments = sweep(tmp_path / "runs", [str(program)])
    end(experiments[0], FailureRecord(0, message="ValueError: no"))
    notice(experiments[0])
    end(experiments[1], FailureRecord(0, message="ValueError: again"))
    notice(experiments[1])
    (failure,) = told(program)
    assert failure.startswith("pcm: an experiment of a sweep has failed\n")
    assert f"{experiments[0].id} a: rank 0: ValueError: no" in failure
    end(experiments[2], FinishedRecord(10, 1))
    loss = MetricSummary(0.5, 10, 0.25, 8, 0.5, 10)
    write_summary(experiments[2].run_dir, Summary(10, {"val/loss": loss}))
    experiments[2].run_dir.metrics.touch()
    notice(experiments[2])
    notice(experiments[2])
    _, ended = told(program)
    assert ended.startswith("pcm: a sweep has ended: 1 done, 2 failed\n")
    assert f"best: {experiments[2].id} c, val/loss 0.25" in ended
    assert "pcm status" in ended
    assert f"pcm report 'a sweep' --runs-dir {tmp_path / 'runs'}\n" in ended


def test_many_that_notice_at_once_tell_once(tmp_path: Path, program: Path) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    end(only, FinishedRecord(10, 1))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(notice, [only] * 8))
    assert len(told(program)) == 1


def test_what_comes_back_has_not_ended(tmp_path: Path, program: Path) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    end(only, FailureRecord(0, message="a node died"), executor="slurm")
    notice(only)  # its supervisor has not decided yet
    verdict = only.run_dir.attempt(1).verdict
    write(verdict, VerdictRecord("node_fail", comes_back=True))
    notice(only)
    assert told(program) == []
    write(verdict, VerdictRecord("failed"))
    notice(only)
    assert len(told(program)) == 2


def test_what_was_cancelled_before_it_began_holds_up_nothing(tmp_path: Path, program: Path) -> None:
    experiments = sweep(tmp_path / "runs", [str(program)], ("a", "b"))
    end(experiments[0], FinishedRecord(10, 1))
    notice(experiments[0])
    assert told(program) == []
    cancel(RunsRoot(experiments[1].launch.root), experiments[1].id)
    notice(experiments[0])
    (ended,) = told(program)
    assert "1 done, 1 cancelled" in ended


@pytest.mark.parametrize("status", [302, 500])
def test_what_a_webhook_refuses_is_sent_by_the_next(
    tmp_path: Path, webhook: Listener, status: int
) -> None:
    (only,) = sweep(tmp_path / "runs", ["webhook"], ("only",))
    end(only, FinishedRecord(10, 1))
    webhook.status = status
    (warning,) = notice(only)
    assert "webhook" in warning
    assert f"it answers {status}" in warning
    assert SECRET not in warning
    webhook.status = 200
    assert notice(only) == notice(only) == []
    assert [body["text"].splitlines()[0] for body in webhook.bodies[1:]] == [
        "pcm: a sweep has ended: 1 done"
    ]
    files = [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert not any(SECRET in path.read_text() for path in files)


def test_what_was_interrupted_or_found_no_room_is_sent_by_the_next(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (only,) = sweep(tmp_path / "runs", [str(program)], ("only",))
    end(only, FinishedRecord(10, 1))
    with monkeypatch.context() as patched:
        patched.setattr(sending, "send", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            notice(only)
    with monkeypatch.context() as patched:
        full = OSError(errno.ENOSPC, "No space left on device")
        patched.setattr(occasions, "write_json", Mock(side_effect=full))
        with pytest.raises(OSError, match="No space"):
            notice(only)
    assert told(program) == []
    notice(only)
    notice(only)
    assert len(told(program)) == 1


def test_what_a_program_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    program, goes_on = tmp_path / "my program", tmp_path / "goes on"
    os.mkfifo(goes_on)
    program.write_text(f"#!/bin/sh\n(read _ < '{goes_on}') &\n")
    program.chmod(0o755)
    send(str(program).replace(" ", "\\ "), Message("x", ()))
    goes_on.write_text("\n")  # which waits for its reader


def test_what_a_program_prints_is_not_repeated(tmp_path: Path) -> None:
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\necho {SECRET} >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(RefusedError, match="ended with exit code 3") as caught:
        send(str(program), Message("x", ()))
    assert SECRET not in str(caught.value)


def test_of_a_program_that_cannot_be_run_no_argument_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_PATIENCE_S", 0.01)
    hangs, absent = tmp_path / "hangs", tmp_path / "absent"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o755)
    for program, reason in ((hangs, "was not done within"), (absent, "No such file")):
        with pytest.raises(RefusedError, match=reason) as caught:
            send(f"{program} {SECRET}", Message("x", ()))
        assert str(program) in str(caught.value)
        assert SECRET not in str(caught.value)


def test_mail_goes_by_sendmail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/words"; cat > "{tmp_path}/mail"\n')
    sendmail.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    send("me@example.org", Message("pcm: ä sweep has ended", ("3 experiments: 3 done",)))
    assert (tmp_path / "words").read_text() == "-t -i\n"
    mail = (tmp_path / "mail").read_text()
    assert "To: me@example.org\n" in mail
    assert "Subject: pcm: =?utf-8?q?=C3=A4?= sweep has ended\n" in mail


def test_without_sendmail_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("launch.notify.sending._SENDMAILS", "")
    with pytest.raises(RefusedError, match="no sendmail on this machine"):
        send("me@example.org", Message("x", ()))
