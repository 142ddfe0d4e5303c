"""A token in the environment is nowhere else, while a real job trains in a real image."""

import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.cluster.person import Person
from tests.cluster.running import Running
from tests.container.inside import IMAGE, training, write_grid

SECRET = "s3cr3t-0f-é"

NAMES = ("NEPTUNE_API_TOKEN", "WANDB_API_KEY", "HF_TOKEN")


class Watcher(Thread):
    """Reads the command lines of all processes of the machine, over and over."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self._is_over = Event()

    def run(self) -> None:
        while not self._is_over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    watcher.start()
    yield watcher
    watcher.stop()


def texts(folder: Path, owner: str | None = None) -> dict[Path, bytes]:
    """The content of files: all of them, or those that others may read or `owner` has."""
    uid = None if owner is None else pwd.getpwnam(owner).pw_uid
    found = {}
    for path in folder.rglob("*"):
        try:
            facts = path.lstat()
            is_open = uid is None or facts.st_uid == uid or facts.st_mode & stat.S_IROTH
            if stat.S_ISREG(facts.st_mode) and is_open:
                found[path] = path.read_bytes()
        except OSError:
            continue
    return found


def holders(files: dict[Path, bytes]) -> list[Path]:
    return [path for path, content in files.items() if SECRET.encode() in content]


def test_a_token_is_nowhere_but_in_the_environment(inside: Person, watcher: Watcher) -> None:
    disk = inside.project / "disk"
    asked: dict[str, Any] = {
        "environment": {"HF_TOKEN": None},
        "stage": str(disk),
        "scratch": f"{disk}/scratch",
    }
    grid = write_grid(inside, resources={"tasks_per_node": 2}, **asked)
    running = Running.start(inside, grid, STAND_IN_STEPS="4000", **dict.fromkeys(NAMES, SECRET))
    running.wait_for_steps()
    # Training has them, or all the rest would prove nothing.
    for process in training(inside):
        variables = process.environ()
        assert [variables[name] for name in NAMES] == [SECRET] * len(NAMES)

    mine, slurms = texts(inside.home), texts(inside.cluster.folder, inside.name)
    # Scripts, logs and records, and the image's copy are among what is looked at.
    names = {path.name for path in mine}
    assert {"script.sh", "sweep.json", "attempt.json", "rank-1.log"} <= names
    assert any(path.parent.parent == disk for path in mine)
    assert slurms
    assert holders(mine) + holders(slurms) + holders(texts(Path("/dev/shm"), inside.name)) == []
    for command in (
        ("apptainer", "inspect", "--all", str(inside.project / IMAGE)),
        ("scontrol", "show", "job", "-d", running.task),
        ("pcm", "why", running.experiment.id),
        ("pcm", "show", running.experiment.id),
    ):
        told = inside.run(*command)
        assert told.returncode == 0, told.stderr
        assert SECRET not in told.stdout + told.stderr

    inside.pcm("cancel", running.experiment.id, "--yes")
    running.wait_until_over()
    assert holders(texts(inside.home)) == []
    watcher.stop()
    assert any(b"apptainer" in line for line in watcher.seen)
    assert not [line for line in watcher.seen if SECRET.encode() in line]
