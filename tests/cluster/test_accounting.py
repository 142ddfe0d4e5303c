"""A site with accounting: what it kept of a job that ran out of memory."""

from collections.abc import Iterator

import pytest

from launch.slurm.accounting import read_account
from tests.cluster.person import wait_for
from tests.cluster.slurm import SlurmCluster, install

pytestmark = pytest.mark.own_cluster

HUNGRY = "import time; a = b'x' * 20_000_000; time.sleep(5); b = b'x' * 300_000_000; time.sleep(5)"


@pytest.fixture(scope="module")
def accounted() -> Iterator[SlurmCluster]:
    """A cluster of its own with slurmdbd and MariaDB."""
    try:
        install(accounting=True)
    except RuntimeError as error:
        pytest.fail(f"this test needs a Slurm of its own: {error}")
    with SlurmCluster(accounting=True, nodes=1) as cluster:
        yield cluster


def test_memory_used_against_asked(
    accounted: SlurmCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", accounted.environment["SLURM_CONF"])
    step = f'srun python3 -c "{HUNGRY}"'
    where = f"--output={accounted.folder / 'output'}"
    job = accounted.run("sbatch", "--parsable", "--mem=60", where, "--wrap", step).strip()

    def is_over() -> bool:
        account = read_account(job)
        return account is not None and account.state == "OUT_OF_MEMORY"

    wait_for(is_over, 90)
    account = read_account(job)
    assert account is not None
    assert account.asked_mb == 60
    assert account.used_mb is not None
    assert 15 < account.used_mb <= 60
    assert account.nodes == "n1"


def test_what_accounting_does_not_know(
    accounted: SlurmCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CONF", accounted.environment["SLURM_CONF"])
    assert read_account("4711_3") is None
