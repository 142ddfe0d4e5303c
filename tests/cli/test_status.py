"""`pcm status`, `pcm show`, `pcm logs` and `pcm results`."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import JournalWriter
from pcm.run_dir.records import UnkeptRecord
from pcm.run_dir.typed_json import write
from tests.cli.conftest import Pcm, Runs, add_checkpoint


@pytest.fixture
def mixed(runs: Runs) -> Runs:
    """One is done, one has failed, two never started."""
    runs.finish(0, **{"val/loss": 0.125, "train/loss": 0.5})
    runs.fail(1, "shapes [1, 2] don't match\nsecond line")
    return runs


def test_an_empty_store(pcm: Pcm) -> None:
    result = pcm("status")
    assert (result.exit_code, result.stdout) == (0, "No experiments.\n")
    # Whoever stands in another folder than that of the launch sees where was looked.
    assert f"nothing was launched into {Path.cwd() / 'runs'}; --runs-dir" in result.stderr
    empty: dict[str, Any] = {"counts": {}, "warning": None, "experiments": []}
    assert json.loads(pcm("status", "--json").stdout) == empty


@pytest.mark.parametrize("command", ["status", "show", "logs", "results", "resume", "cancel"])
def test_nothing_of_that_name(pcm: Pcm, mixed: Runs, command: str) -> None:
    result = pcm(command, "smal1")
    assert result.exit_code == 5
    assert "smal1" in result.stderr
    assert "try: " in result.stderr


@pytest.mark.parametrize("command", ["show", "logs", "results", "resume", "cancel", "sync"])
def test_nothing_at_all_in_an_empty_store(pcm: Pcm, command: str) -> None:
    result = pcm(command, "small")
    assert result.exit_code == 5
    assert "--runs-dir" in result.stderr


def test_counts_come_first_then_a_row_each_then_reasons(pcm: Pcm, mixed: Runs) -> None:
    lines = pcm("status").stdout.splitlines()
    assert lines[0] == "4 experiments: 2 new, 1 done, 1 failed"
    rows = [line for line in lines if any(line.startswith(e.id) for e in mixed.experiments)]
    assert len(rows) == 5
    assert rows[-1].endswith("failed: rank 0: ValueError: shapes [1, 2] don't match")


def test_a_sweep_and_an_id_and_their_beginnings(pcm: Pcm, mixed: Runs) -> None:
    assert pcm("status", "small").stdout == pcm("status").stdout == pcm("status", "sm").stdout
    first = mixed.experiments[0].id
    assert "1 experiment: 1 done" in pcm("status", first[:8]).stdout
    assert "1 experiment: 1 done" in pcm("status", first, first[:9]).stdout
    assert "2 experiments:" in pcm("status", first, mixed.experiments[1].id).stdout


def test_a_beginning_of_several_ids_is_no_id(pcm: Pcm, mixed: Runs) -> None:
    ids = [each.id for each in mixed.experiments]
    shared = next(
        (digit for digit in "0123456789abcdef" if sum(i[0] == digit for i in ids) > 1), ""
    )
    if not shared:
        # No two of these ids begin alike; the empty beginning must not stand for all of them.
        assert pcm("show", "").exit_code == 5
        return
    result = pcm("show", shared)
    assert result.exit_code == 2
    assert "give more of it" in result.stderr


def test_only_some_states(pcm: Pcm, mixed: Runs) -> None:
    text = pcm("status", "--state", "failed", "--state", "done").stdout
    assert text.startswith("2 experiments: ")
    assert mixed.experiments[2].id not in text


def test_status_for_programs(pcm: Pcm, mixed: Runs) -> None:
    record = json.loads(pcm("status", "--json").stdout)
    assert record["counts"] == {"new": 2, "done": 1, "failed": 1}
    by_id = {each["id"]: each for each in record["experiments"]}
    assert by_id[mixed.experiments[1].id]["state"] == "failed"
    assert by_id[mixed.experiments[1].id]["attempt"] == 1


def test_watching_ends_when_everything_has(pcm: Pcm, mixed: Runs) -> None:
    chosen = [each.id for each in mixed.experiments[:2]]
    result = pcm("status", *chosen, "--watch")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2


def test_many_experiments_are_cut_and_say_so(
    pcm: Pcm, mixed: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launch.cli.commands.status.SHOWN", 2)
    text = pcm("status").stdout
    assert "2 more; --all shows them" in text
    # What failed is worth a row before what is done.
    assert mixed.experiments[1].id in text
    assert "more" not in pcm("status", "--all").stdout


def test_a_runs_folder_elsewhere(
    pcm: Pcm, mixed: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("else where") / "runs"
    shutil.move(mixed.store.root.path, other)
    assert pcm("status").stdout == "No experiments.\n"
    assert "4 experiments" in pcm("status", "--runs-dir", str(other)).stdout
    monkeypatch.setenv("PCM_RUNS_DIR", str(other))
    assert "4 experiments" in pcm("status").stdout


def test_one_experiment_with_all_there_is(pcm: Pcm, mixed: Runs) -> None:
    experiment = mixed.experiments[0]
    text = pcm("show", experiment.id[:9]).stdout
    for part in (experiment.id, experiment.name, "done", "val/loss", "0.125", "finished"):
        assert part in text


def test_one_experiment_that_never_started(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("show", mixed.experiments[3].id)
    assert result.exit_code == 0
    assert "new" in result.stdout
    assert "attempt" not in result.stdout


def test_one_experiment_for_programs(pcm: Pcm, mixed: Runs) -> None:
    record = json.loads(pcm("show", mixed.experiments[1].id, "--json").stdout)
    assert record["status"]["state"] == "failed"
    assert record["attempts"][0]["end"].startswith("failed: rank 0: ValueError")
    assert record["overrides"] == dict(mixed.experiments[1].overrides)


def test_the_checkpoint_shown_is_the_newest_attempts(pcm: Pcm, mixed: Runs) -> None:
    folder = mixed.experiments[0].run_dir.checkpoints
    folder.mkdir()
    for attempt, step in ((1, 20), (2, 10)):
        add_checkpoint(folder, f"epoch=0-step={step}.ckpt", step, attempt)
    (folder / "half.ckpt.json").write_text('{"file": ')
    text = pcm("show", mixed.experiments[0].id).stdout
    assert "epoch=0-step=10.ckpt" in text
    assert "step=20" not in text


@pytest.mark.parametrize("command", ["show", "why"])
def test_what_a_resume_will_not_bring_back_is_named(pcm: Pcm, mixed: Runs, command: str) -> None:
    attempt = mixed.experiments[1].run_dir.attempt(1)
    assert "not kept" not in pcm(command, mixed.experiments[1].id).stdout
    write(attempt.unkept, UnkeptRecord(["net.lock (lock)", "seen (Tracker)"]))
    text = pcm(command, mixed.experiments[1].id).stdout
    assert "not kept" in text
    assert "net.lock (lock), seen (Tracker)" in text


def test_logs_are_copied_byte_by_byte(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("logs", mixed.experiments[0].id)
    assert result.stdout_bytes == b"first line\nlast line \xff\n"
    followed = pcm("logs", mixed.experiments[0].id, "--follow")
    assert followed.stdout_bytes == result.stdout_bytes


def test_an_empty_log_is_said_to_be_one(pcm: Pcm, mixed: Runs) -> None:
    mixed.experiments[0].run_dir.attempts()[-1].log(0).write_bytes(b"")
    result = pcm("logs", mixed.experiments[0].id)
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert "attempt 1 has printed nothing" in result.stderr
    assert "4 of 4 have printed nothing" in pcm("logs", "small").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--rank", "1"), "there is rank-0"),
        (("--attempt", "2"), "there is 1"),
    ],
)
def test_no_such_log(pcm: Pcm, mixed: Runs, arguments: tuple[str, ...], told: str) -> None:
    result = pcm("logs", mixed.experiments[0].id, *arguments)
    assert result.exit_code == 5
    assert told in result.stderr


def test_no_logs_before_the_first_attempt(pcm: Pcm, mixed: Runs) -> None:
    result = pcm("logs", mixed.experiments[2].id)
    assert result.exit_code == 5
    assert "has not started yet" in result.stderr


def test_results_have_a_row_a_point(pcm: Pcm, mixed: Runs) -> None:
    lines = pcm("results", "small").stdout.splitlines()
    assert lines[0].split() == ["id", "state", "seed", "max_epochs", "val/loss"]
    assert lines[2].split() == [mixed.experiments[0].id, "done", "0", "1", "0.125"]
    assert len(lines) == 6


def test_results_as_csv_have_every_metric(pcm: Pcm, mixed: Runs) -> None:
    text = pcm("results", "small", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["train/loss"] == "0.5"
    assert [row["model.training.max_epochs"] for row in rows] == ["1", "2", "1", "2"]


def test_json_has_no_nan(pcm: Pcm, runs: Runs) -> None:
    runs.finish(0, **{"val/loss": float("nan"), "val/elbo": float("-inf"), "val/mse": 0.5})
    text = pcm("results", "small", "--json").stdout
    assert json.loads(text)[0]["metrics"] == {"val/loss": None, "val/elbo": None, "val/mse": 0.5}
    assert "nan" in pcm("results", "small").stdout


def test_results_as_json(pcm: Pcm, mixed: Runs) -> None:
    rows = json.loads(pcm("results", "small", "--json").stdout)
    assert rows == json.loads(pcm("results", "small", "--format", "json").stdout)
    assert rows[0]["metrics"] == {"val/loss": 0.125, "train/loss": 0.5}
    assert rows[3]["state"] == "new"


def test_results_may_be_chosen_sorted_and_cut(pcm: Pcm, mixed: Runs) -> None:
    chosen = ("--where", "max_epochs=2", "--sort", "seed", "--reverse")
    rows = json.loads(pcm("results", "small", *chosen, "--json").stdout)
    assert [row["axes"]["seed"] for row in rows] == [1, 0]
    assert "2 of 4 experiments" in pcm("results", "small", *chosen).stdout
    result = pcm("results", "small", "--where", "nothing<1")
    assert result.exit_code == ExitCode.USAGE
    assert "no axis, metric or fact 'nothing'" in result.stderr


@pytest.mark.parametrize(("form", "start"), [("markdown", "| id |"), ("latex", "\\begin{tabular}")])
def test_results_for_papers(pcm: Pcm, mixed: Runs, form: str, start: str) -> None:
    text = pcm("results", "small", "--columns", "id,seed,hours", "--format", form).stdout
    assert text.startswith(start)
    assert len(text.splitlines()) >= 6


def test_results_at_a_step_and_at_the_best_one(pcm: Pcm, runs: Runs) -> None:
    runs.finish(0)
    run_dir = runs.experiments[0].run_dir
    journal = JournalWriter(run_dir.metrics, 2, None)
    for step, loss, accuracy in ((10, 0.5, 0.7), (20, 0.25, 0.8), (30, 0.75, 0.9)):
        journal.append(step, 0, 0.0, {"val/loss": loss})
        journal.append(step + 5, 0, 0.0, {"val/acc": accuracy})
    journal.close()
    names = ("val/loss:best", "val/acc:best", "val/acc@29", "val/loss@30", "val/loss@999")
    options = [word for name in names for word in ("--metric", name)]
    row = json.loads(pcm("results", "small", *options, "--json").stdout)[0]
    assert [row[name] for name in names] == [0.25, 0.7, 0.8, 0.75, None]
    assert pcm("results", "small", "--metric", "val/loss@x").exit_code == ExitCode.USAGE


@pytest.mark.parametrize(("tags", "rows"), [(["vae"], 4), (["vae", "no"], 0)])
def test_results_of_a_tag(pcm: Pcm, mixed: Runs, tags: list[str], rows: int) -> None:
    options = [word for tag in tags for word in ("--tag", tag)]
    assert len(json.loads(pcm("results", "small", *options, "--json").stdout)) == rows


def test_a_table_says_what_it_left_out(
    pcm: Pcm, mixed: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    mixed.finish(2, **{"val/loss": 1.0, "val/a_long_name_of_a_metric": 2.0, "val/another": 3.0})
    result = pcm("results", "small")
    assert "val/another" not in result.stdout
    assert "left out for want of room: val/a_long_name_of_a_metric, val/another" in result.stderr


def test_results_go_to_a_file(pcm: Pcm, mixed: Runs, project: Path) -> None:
    as_csv = ("results", "small", "--format", "csv")
    assert pcm(*as_csv, "-o", "my table.csv").stdout == ""
    assert (project / "my table.csv").read_text() == pcm(*as_csv).stdout
    result = pcm("results", "small", "-o", "my table.txt")
    assert result.exit_code == ExitCode.USAGE
    assert not (project / "my table.txt").exists()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_cannot_be_written_is_named_as_it_was(
    pcm: Pcm, mixed: Runs, project: Path, form: str
) -> None:
    if form == "parquet":
        pytest.importorskip("polars")
    (project / "folder").mkdir()
    result = pcm("results", "small", "--format", form, "-o", "folder")
    assert result.exit_code == ExitCode.REFUSED
    assert "can't write folder: it is a folder" in result.stderr
    assert not [path for path in project.iterdir() if path.suffix == ".tmp"]


def test_the_first_groups_are_of_whole_groups(pcm: Pcm, mixed: Runs) -> None:
    mixed.finish(2, **{"val/loss": 0.5})
    words = ("--group-by", "seed", "--metric", "val/loss", "--sort", "val/loss", "--reverse")
    [first] = json.loads(pcm("results", "small", *words, "--top", "1", "--json").stdout)
    assert first["axes"] == {"seed": 1}
    assert first["count"] == 2


def test_results_put_together_over_seeds(pcm: Pcm, mixed: Runs) -> None:
    text = pcm("results", "small", "--group-by", "all", "--metric", "val/loss:min").stdout
    assert "val/loss:min" in text
    records = json.loads(pcm("results", "small", "--group-by", "all", "--json").stdout)
    assert [record["count"] for record in records] == [2, 2]


def test_a_runs_folder_that_is_a_file(pcm: Pcm, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    result = pcm("status", "--runs-dir", str(tmp_path / "a file"))
    assert result.exit_code == 4
    assert "a file is a file" in result.stderr
