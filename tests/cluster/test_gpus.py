"""GPUs that Slurm gives and that nobody has: training says so, and trains on no CPU instead."""

from launch.store.records import read_record
from pcm.errors import ExitCode
from tests.cluster.person import Person
from tests.cluster.running import Running


def test_training_does_not_do_without_the_gpus_that_were_asked_for(person: Person) -> None:
    # Real training: the cluster's GPUs are plain files.
    del person.environment["PCM_PYTHON"]
    running = Running.start(person, person.write_grid(1, gpus_per_node=1, mem=4000))
    assert running.wait_for_verdict()["comes_back"] is False
    running.wait_until_over()
    failed = read_record(running.attempt(1).failed)
    assert failed["exit_code"] == ExitCode.REFUSED
    told = person.pcm("why", running.experiment.id).stdout
    assert "1 asked for, 0 seen by training" in told
