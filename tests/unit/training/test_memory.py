from pathlib import Path

from pcm.training.checkpoints.memory import available_memory

MEMINFO = "MemTotal: 2000 kB\nMemAvailable:    1000 kB\n"


def write_group(folder: Path, limit: str, used: int, of_files: int) -> None:
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 7\ninactive_file {of_files}\n")


def available(folder: Path, membership: str, meminfo: str = MEMINFO) -> int:
    machine, groups = folder / "meminfo", folder / "cgroup"
    machine.write_text(meminfo)
    groups.write_text(membership)
    return available_memory(machine, groups, folder / "mount")


def test_of_the_machine(tmp_path: Path) -> None:
    assert available(tmp_path, "0::/gone\n") == 1000 * 1024
    assert available(tmp_path, "0::/gone\n", "MemFree: 3 kB\n") == 0


def test_of_this_machine() -> None:
    assert available_memory() > 1 << 20


def test_the_narrowest_group_counts(tmp_path: Path) -> None:
    write_group(tmp_path / "mount" / "job", "500", 300, 50)
    write_group(tmp_path / "mount" / "job" / "step", "max", 100, 0)
    assert available(tmp_path, "0::/job/step\n") == 250
    assert available(tmp_path, "1:cpu:/job\n") == 1000 * 1024


def test_what_is_above_its_limit_has_nothing_left(tmp_path: Path) -> None:
    write_group(tmp_path / "mount" / "job", "500", 700, 50)
    assert available(tmp_path, "0::/job\n") == 0


def test_groups_of_version_1(tmp_path: Path) -> None:
    folder = tmp_path / "mount" / "memory" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("800\n")
    (folder / "memory.usage_in_bytes").write_text("100\n")
    (folder / "memory.stat").write_text("inactive_file 0\n")
    assert available(tmp_path, "3:memory,cpu:/job\n1:name=systemd:/job\n") == 700
