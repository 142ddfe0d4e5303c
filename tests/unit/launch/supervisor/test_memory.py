"""What control groups tell about processes killed for their memory."""

from pathlib import Path

import pytest

from launch.supervisor.memory import count_oom_kills


def count(tmp_path: Path, membership: str) -> int:
    file = tmp_path / "cgroup"
    file.write_text(membership)
    return count_oom_kills(file, tmp_path / "mount")


def write(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / "mount" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)


def test_version_1(tmp_path: Path) -> None:
    counted = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
    write(tmp_path, "memory/slurm/job_1/step_0/memory.oom_control", counted)
    membership = "9:name=systemd:/\n4:cpu,memory:/slurm/job_1/step_0\n0::/\n"
    assert count(tmp_path, membership) == 3


def test_version_2(tmp_path: Path) -> None:
    write(tmp_path, "system.slice/job_1/memory.events", "low 0\noom 2\noom_kill 1\n")
    assert count(tmp_path, "0::/system.slice/job_1\n") == 1


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill many\n", "low 0\n"])
def test_a_file_that_tells_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, "job/memory.events", text)
    assert count(tmp_path, "0::/job\n") == 0


def test_no_control_groups(tmp_path: Path) -> None:
    assert count(tmp_path, "4:memory:/gone\n") == 0
    assert count_oom_kills(tmp_path / "no such file", tmp_path) == 0


def test_the_process_itself() -> None:
    assert count_oom_kills() >= 0
