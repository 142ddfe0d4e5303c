"""A real Slurm cluster for the session, and somebody who works on it.

Where it can't be had, the tests fail and say so; they never skip. With PCM_TEST_PARTITION they
run on that partition of a cluster that is there already, as the user who runs them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.existing import PARTITION, VARIABLE, ExistingCluster
from tests.cluster.person import Person
from tests.cluster.slurm import SlurmCluster, install


@pytest.fixture(scope="session")
def slurm_installed() -> None:
    """Slurm's programs are here, from the distribution's packages."""
    try:
        install()
    except RuntimeError as error:
        told = f"or set {VARIABLE} to a partition of a Slurm that is there, for most of them"
        pytest.fail(f"these tests need a Slurm of their own: {error}; {told}")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[SlurmCluster]:
    """The session's cluster: processes tracked by cgroup, no accounting."""
    if PARTITION is not None:
        yield ExistingCluster(partition=PARTITION)
        return
    request.getfixturevalue("slurm_installed")
    with SlurmCluster() as cluster:
        yield cluster


@pytest.fixture
def home(user: str) -> Iterator[Path]:
    """An empty folder that jobs can see."""
    # On a cluster that isn't ours, nodes share the user's home and not /tmp.
    folder = Path(tempfile.mkdtemp(prefix="pcm-home-", dir=PARTITION and Path.home()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def person(cluster: SlurmCluster, user: str, home: Path) -> Iterator[Person]:
    """Somebody with a project and an empty runs folder; leaves nothing in the queue."""
    person = Person(user, home, cluster)
    yield person
    person.leave()
