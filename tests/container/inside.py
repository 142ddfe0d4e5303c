"""Grids that run inside a tiny image, and what becomes of them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from launch.store import Experiment
from tests.cluster.person import Person, wait_for

STAND_IN = ("STAND_IN_STEPS", "STAND_IN_FAIL", "STAND_IN_KILLED", "STAND_IN_DEAF")
"""Variables that the grids of these tests let into the image."""

IMAGE = "my, image:é.sif"

LAUNCH = ("launch", "--executor", "local", "--yes")


def give_image(person: Person, apptainer: Path, image: Path) -> None:
    """Let a person have Apptainer, and the image in the project folder."""
    person.environment["PATH"] = f"{apptainer.parent}:{person.environment['PATH']}"
    shutil.copy(image, person.project / IMAGE)


def write_grid(person: Person, points: int = 1, resources: Any = None, **container: Any) -> str:
    """A grid that runs in the image."""
    name = person.write_grid(points, **(resources or {}))
    environment = dict.fromkeys(STAND_IN) | container.pop("environment", {})
    asked = {"image": IMAGE, "environment": environment, **container}
    text = (person.project / name).read_text() + f"container: {json.dumps(asked)}\n"
    person.write_file(name, text)
    return name


def run_here(person: Person, grid: str, **variables: str) -> list[Experiment]:
    """Run a grid on this machine."""
    person.pcm(*LAUNCH, grid, **variables)
    return person.experiments()


def refused(person: Person, exit_code: int, *arguments: str, **variables: str) -> str:
    """What `pcm` prints when it doesn't do what it is asked for."""
    done = person.try_pcm(*arguments, **variables)
    assert done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def training(person: Person) -> list[psutil.Process]:
    """Their training processes inside an image."""
    found = []
    for process in person.processes():
        with suppress(psutil.NoSuchProcess):
            found += [process] if "/opt/stand_in.py" in process.cmdline() else []
    return found


@contextmanager
def running(person: Person, grid: str, **variables: str) -> Iterator[psutil.Process]:
    """The training process inside, while a grid of one point runs on this machine."""
    launcher = person.start_pcm(*LAUNCH, grid, STAND_IN_STEPS="100", **variables)
    [process] = wait_for(lambda: training(person))
    yield process
    output, errors = launcher.communicate(timeout=60)
    assert launcher.returncode == 0, output + errors
