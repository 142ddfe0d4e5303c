"""What holds for all tests."""

import getpass
import os
import signal
from collections.abc import Iterator

import pytest

from tests.access import needed_folders, passable
from tests.accounts import unprivileged_user
from tests.cluster.existing import PARTITION
from tests.cluster.fixtures import cluster, home, person, slurm_installed

# One cluster serves all tests of a session, wherever they lie.
__all__ = ["cluster", "home", "person", "slurm_installed"]

# Several tests run at once, and each may start several ranks: one thread each is fastest.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whoever runs the tests may have settings and a site of their own.
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
os.environ.pop("PCM_SITE", None)

# A shell starts what it puts in the background with Ctrl-C ignored, and so does nohup with
# hang-ups; programs started from here would inherit that, and the tests send them both.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def user() -> Iterator[str]:
    """Name of an unprivileged user; jobs and images run as nobody else."""
    if PARTITION is not None:
        yield getpass.getuser()
        return
    with passable(needed_folders()), unprivileged_user() as name:
        yield name
