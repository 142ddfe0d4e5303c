"""Output of Slurm 22.05's clients, as it was recorded, to plain data."""

import os
from pathlib import Path

import pytest

from launch.slurm.accounting import Account, parse_account, read_account
from launch.slurm.amounts import megabytes
from launch.slurm.commands import client_environment
from launch.slurm.queue import parse_queue, read_queue
from launch.slurm.reasons import meaning
from launch.slurm.scancel import scancel, task_ranges
from pcm.errors import RefusedError

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = TOKEN[::-1]

SQUEUE = f"""\
1|2|CANCELLED|0|1795438719|n1|None|(null)|
5|N/A|FAILED|0|1795438719|n2|NonZeroExitCode|(null)|
6|0|OUT_OF_MEMORY|0|1795438719|n2|OutOfMemory|my | own {OTHER}|
1|1|PENDING|1|1795438847||BeginTime|{TOKEN}|
1|5|PENDING|0|N/A||JobArrayTaskLimit|{TOKEN}|
4|N/A|PENDING|0|N/A||PartitionConfig|(null)|
1|3|RUNNING|0|1795438726|n[1-2]|None|{TOKEN}|
1|4|COMPLETING|2|1795438726|n2|None|{TOKEN}|
9|7|REQUEUE_HOLD|3|N/A||JobHoldMaxRequeue|(null)|
CLUSTER: other

"""

SACCT = """\
3_0|FAILED|1:0|50M||n2
3_0.batch|FAILED|1:0||10840K|n2
3_0.0|OUT_OF_MEMORY|0:125||27672K|n2
"""


def test_tasks_of_arrays_and_plain_jobs() -> None:
    tasks = parse_queue(SQUEUE)
    assert set(tasks) == {"1_2", "5", "6_0", "1_1", "1_5", "4", "1_3", "1_4", "9_7"}
    assert (tasks["1_1"].restarts, tasks["1_1"].start) == (1, 1795438847.0)
    assert tasks["1_5"].start is None
    assert tasks["1_3"].nodes == "n[1-2]"
    assert (tasks["4"].reason, tasks["4"].token) == ("PartitionConfig", None)
    assert tasks["6_0"].token == OTHER, "a comment may have our separator in it"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("1_5", (True, False, False)),
        ("9_7", (True, False, False)),
        ("1_3", (False, True, False)),
        ("1_4", (False, True, False)),
        ("6_0", (False, False, True)),
        ("1_2", (False, False, True)),
    ],
)
def test_a_task_waits_runs_or_has_ended(task: str, expected: tuple[bool, bool, bool]) -> None:
    found = parse_queue(SQUEUE)[task]
    assert (found.is_waiting, found.is_running, found.is_ended) == expected


def test_tasks_that_wait_share_a_line() -> None:
    tasks = parse_queue(
        f"7|0,2-4%2|PENDING|0|N/A||Resources|{TOKEN}|\n7|1|RUNNING|0|9|n1|None|x|\n"
    )
    assert list(tasks) == ["7_0", "7_2", "7_3", "7_4", "7_1"]
    assert {tasks[f"7_{index}"].reason for index in (0, 2, 3, 4)} == {"Resources"}
    assert tasks["7_4"].token == TOKEN
    assert tasks["7_1"].is_running


@pytest.mark.parametrize("text", ["", "\n", "slurm_load_jobs error", "1|2|3", "|" * 7])
def test_other_lines_are_no_crash(text: str) -> None:
    assert all(not task.id for task in parse_queue(text).values())


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH but the shell's; calls are noted in it."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def client(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/calls"\n{script}\n')
    path.chmod(0o755)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_one_question_for_all_users(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUEUE_STATES", "COMPLETED")
    client(fake, "squeue", f"env > '{fake}/seen'; cat <<'E'\n{SQUEUE}E")
    queue = read_queue({17, 3})
    assert queue.is_known
    assert queue.jobs == {TOKEN: "1", OTHER: "6"}
    [call] = calls(fake)
    assert "--user=3,17" in call
    assert "SQUEUE_STATES" not in (fake / "seen").read_text()


def test_indices_that_are_cut_off_are_asked_for_one_by_one(fake: Path) -> None:
    whole = "7|0|PENDING|0|N/A||None|x|\n7|2|PENDING|0|N/A||None|x|"
    cut = "7|0,2,4...%9|PENDING|0|N/A||None|x|"
    script = f"case \"$*\" in *--array*) cat <<'E'\n{whole}\nE\n;; *) echo '{cut}' ;; esac"
    client(fake, "squeue", script)
    assert set(read_queue({1}).tasks) == {"7_0", "7_2"}
    assert len(calls(fake)) == 2


def test_a_client_that_fails_gives_its_last_word(fake: Path) -> None:
    client(fake, "squeue", "echo 'warming up' >&2; echo 'squeue: error: no contact' >&2; exit 1")
    queue = read_queue({1})
    assert (queue.is_known, queue.tasks) == (False, {})
    assert queue.trouble == "squeue: error: no contact"


def test_a_client_that_hangs_is_not_waited_for(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launch.slurm.commands.PATIENCE_S", 0.2)
    client(fake, "squeue", "exec sleep 60")
    assert "no answer" in str(read_queue({1}).trouble)


def test_no_client_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "squeue" in str(read_queue({1}).trouble)
    assert read_account("1") is None


def test_many_tasks_are_cancelled_at_once(fake: Path) -> None:
    client(fake, "scancel", "")
    scancel([f"7_{index}" for index in range(1000)] + ["9", "8_3"])
    assert calls(fake) == ["scancel --quiet 9 7_[0-999] 8_[3]"]


def test_nothing_to_cancel_calls_nobody(fake: Path) -> None:
    scancel([])
    assert not (fake / "calls").exists()


def test_a_refused_cancellation_is_told(fake: Path) -> None:
    client(fake, "scancel", "echo 'scancel: error: no contact' >&2; exit 1")
    with pytest.raises(RefusedError, match="no contact"):
        scancel(["7_1"])


def test_ranges() -> None:
    assert task_ranges(["7_3", "7_1", "7_2", "7_9", "7_9"]) == ["7_[1-3,9]"]
    scattered = task_ranges([f"7_{index}" for index in range(0, 500, 2)])
    assert len(scattered) == 3, "Slurm reads no endless words"
    assert scattered[0].startswith("7_[0,2,4")
    assert sum(word.count(",") + 1 for word in scattered) == 250


def test_a_users_habits_and_our_formats() -> None:
    habits = {"SCANCEL_INTERACTIVE": "1", "SACCT_FORMAT": "x", "HOME": "/h", "SLURM_CONF": "/c"}
    kept = client_environment(habits | {"SLURM_TIME_FORMAT": "relative"})
    assert kept == {
        "HOME": "/h",
        "SLURM_CONF": "/c",
        "SLURM_TIME_FORMAT": "%s",
        "SLURM_BITSTR_LEN": "0",
        "LC_ALL": "C.UTF-8",
    }
    assert client_environment(os.environ)["PATH"] == os.environ["PATH"]


def test_reasons_are_explained_and_unknown_ones_kept() -> None:
    assert meaning("Resources") == "waits for free nodes (Resources)"
    assert "drained" in meaning("ReqNodeNotAvail, UnavailableNodes:n1")
    assert meaning("SomethingNew") == "SomethingNew"
    assert meaning("None") == "not looked at yet"


def test_the_account_of_a_job_and_its_steps() -> None:
    account = parse_account(SACCT)
    assert account == Account("OUT_OF_MEMORY", "1:0", 50.0, 27672 / 1024, "n2")
    assert parse_account("") is None
    bare = parse_account("1_2|CANCELLED by 0|0:0|1000M||n1\n")
    assert bare == Account("CANCELLED by 0", "0:0", 1000.0, None, "n1")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("50M", 50.0), ("2048K", 2.0), ("4Gn", 4096.0), ("1.5G", 1536.0), ("", None), ("16?", None)],
)
def test_amounts_of_memory(text: str, amount: float | None) -> None:
    assert megabytes(text) == amount
