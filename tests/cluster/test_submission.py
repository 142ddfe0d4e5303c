"""Grids handed to a real Slurm."""

from tests.cluster.person import Person


def test_a_grid_becomes_one_array_that_runs(person: Person) -> None:
    experiments = person.launch(person.write_grid(3))
    person.wait_for_empty_queue()
    assert len(experiments) == 3
    for experiment in experiments:
        log = experiment.run_dir.attempt(1).log(0)
        assert experiment.run_dir.attempt(1).finished.exists(), log.read_text()
