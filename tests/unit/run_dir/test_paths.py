"""The names in a run directory; other versions of pcm read them, so they are frozen."""

from pathlib import Path

from pcm.run_dir import SCHEMA_VERSION, AttemptDir, RunDir


def test_names_of_a_run_directory(folder: Path) -> None:
    run_dir = RunDir(folder)
    names = {
        run_dir.experiment: "experiment.json",
        run_dir.config: "config.yaml",
        run_dir.lock: "lock",
        run_dir.metrics: "metrics.jsonl",
        run_dir.metrics_table: "metrics.csv",
        run_dir.tracker: "tracker.json",
        run_dir.checkpoints: "checkpoints",
        run_dir.plots: "plots",
        run_dir.attempts_folder: "attempts",
    }
    assert {str(path.relative_to(folder)): name for path, name in names.items()} == {
        name: name for name in names.values()
    }
    assert SCHEMA_VERSION == 1


def test_names_of_an_attempt(folder: Path) -> None:
    attempt = RunDir(folder).attempt(3)
    paths = [
        attempt.attempt,
        attempt.failed,
        attempt.stop,
        attempt.rendezvous,
        attempt.progress,
        attempt.stopped,
        attempt.finished,
        attempt.supervisor(0),
        attempt.log(1),
        attempt.outcome(10),
        attempt.error(2),
    ]
    assert attempt.number == 3
    assert [str(path.relative_to(folder / "attempts" / "3")) for path in paths] == [
        "attempt.json",
        "failed.json",
        "stop.json",
        "rendezvous.json",
        "progress.json",
        "stopped.json",
        "finished.json",
        "supervisor-0.json",
        "rank-1.log",
        "outcome-10.json",
        "error-2.json",
    ]


def test_attempts_are_in_the_order_of_their_numbers(folder: Path) -> None:
    run_dir = RunDir(folder)
    assert run_dir.attempts() == []
    for name in ("10", "2", "1", "notes", ".3.tmp", "-4"):
        (run_dir.attempts_folder / name).mkdir(parents=True)
    assert [attempt.number for attempt in run_dir.attempts()] == [1, 2, 10]
    assert run_dir.attempts()[0] == AttemptDir(run_dir.attempts_folder / "1")
