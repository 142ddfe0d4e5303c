"""A site with accounting: what it kept of a job that ran out of memory."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.slurm.accounting import read_account
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from pcm.run_dir import write_json
from tests.cluster.person import HELD, Person, wait_for
from tests.cluster.slurm import SlurmCluster, install

pytestmark = pytest.mark.own_cluster

INVALID = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"
"""What scontrol does where Slurm has forgotten a job, which takes minutes."""

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


@pytest.fixture
def person(accounted: SlurmCluster, user: str, home: Path) -> Iterator[Person]:
    """Somebody who works on the cluster with accounting."""
    person = Person(user, home, accounted)
    yield person
    person.leave()


def states(person: Person) -> list[str]:
    told = json.loads(person.pcm("status", "--json").stdout)
    return [each["state"] for each in told["experiments"]]


def test_a_cluster_that_sbatch_names_is_asked_from_then_on(person: Person) -> None:
    person.write_file("site.yaml", "sbatch: {hold: '', clusters: test}\n")
    person.launch(person.write_grid(2), "--site", "site.yaml")
    [submission] = all_submissions(person.store.root)
    assert submission.clusters == ("test",)
    assert states(person) == ["pending", "pending"]
    person.pcm("cancel", "sweep", "--yes")
    assert person.queue("pending") == []
    assert states(person) == ["cancelled", "cancelled"]
    person.pcm("resume", "sweep")
    assert states(person) == ["pending", "pending"]
    assert "is not resumed: it waits" in person.try_pcm("resume", "sweep").stderr


def test_accounting_tells_what_the_queue_does_not(person: Person) -> None:
    person.write_file("site.yaml", HELD)
    [experiment] = person.launch(person.write_grid(1), "--site", "site.yaml")
    [submission] = all_submissions(person.store.root)
    # Nobody looks while Slurm lists it, and it seems to be long ago.
    record = read_record(submission.files.outcome)
    write_json(submission.files.outcome, record | {"time": 1.0})
    person.run("scancel", str(submission.job_id))
    for name, script in {"squeue": "exit 0", "scontrol": INVALID}.items():
        path = person.write_file(f"forgetful/{name}", f"#!/bin/sh\n{script}\n", 0o755)
    person.environment["PATH"] = f"{path.parent}:{person.environment['PATH']}"
    wait_for(lambda: states(person) == ["cancelled"])
    assert submission.files.words.exists()
    assert experiment.run_dir.attempts() == []
