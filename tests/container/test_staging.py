"""A real image, copied to a node's own disk before training runs in it."""

import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.store import Experiment
from launch.store.records import read_record
from pcm.run_dir.digests import sha256_of
from tests.cluster.person import Person, wait_for
from tests.cluster.running import PATIENCE_S
from tests.container.inside import IMAGE, run_here, write_grid

STAGE = "node disk, é"


def copies(person: Person) -> Path:
    """Where a person's copies are."""
    return person.project / STAGE / f"pcm-images-{pwd.getpwnam(person.name).pw_uid}"


def image_of(experiment: Experiment, rank: int = 0) -> str:
    """The image that a rank ran in."""
    command = read_record(experiment.run_dir.attempt(1).supervisor(rank))["command"]
    [image] = [word for word in command if word.endswith(".sif")]
    return str(image)


def logs(experiment: Experiment) -> str:
    files = experiment.run_dir.attempt(1)
    return "".join(files.log(rank).read_text() for rank in range(experiment.world_size))


def test_two_jobs_of_two_ranks_copy_once(inside: Person) -> None:
    """Both start at the same time on the nodes of one machine, which share its disk."""
    grid = write_grid(inside, 2, {"tasks_per_node": 2}, stage=f"$NODE_DISK/{STAGE}")
    experiments = inside.launch(grid, NODE_DISK=str(inside.project), STAND_IN_STEPS="3")
    for experiment in experiments:
        wait_for(experiment.run_dir.attempt(1).finished.exists, PATIENCE_S)
    inside.wait_for_empty_queue()
    digest = sha256_of(inside.project / IMAGE)
    copy = copies(inside) / f"{digest}.sif"
    used = {image_of(experiment, rank) for experiment in experiments for rank in range(2)}
    assert used == {str(copy)}
    assert sha256_of(copy) == digest
    assert sum(logs(experiment).count("was copied to") for experiment in experiments) == 1


def test_a_torn_copy_and_its_remains_do_no_harm(inside: Person) -> None:
    folder = copies(inside)
    digest = sha256_of(inside.project / IMAGE)
    torn = inside.write_file(f"{folder.relative_to(inside.project)}/{digest}.sif", "half")
    part = inside.write_file(f"{folder.relative_to(inside.project)}/{digest}.part", "a quarter")
    grid = write_grid(inside, stage=str(folder.parent))
    [experiment] = run_here(inside, grid, STAND_IN_STEPS="1")
    assert image_of(experiment) == str(torn)
    assert sha256_of(torn) == digest
    assert not part.exists()


@pytest.fixture
def small_disk(inside: Person) -> Iterator[Path]:
    """A disk without room for the image and what has to stay free."""
    folder = inside.project / STAGE
    folder.mkdir()
    options = f"size=64m,uid={pwd.getpwnam(inside.name).pw_uid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_without_room_the_image_is_used_where_it_is(inside: Person, small_disk: Path) -> None:
    [experiment] = run_here(inside, write_grid(inside, stage=str(small_disk)), STAND_IN_STEPS="1")
    assert image_of(experiment) == str(inside.project / IMAGE)
    assert "is used where it is" in logs(experiment)
    assert "MB free" in logs(experiment)
    assert not list(copies(inside).glob("*.sif"))
