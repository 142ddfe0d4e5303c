"""`pcm plan` and `pcm launch`, up to where experiments really run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import launch.local.running
from launch.grid import expand
from launch.local.starter import modules_to_preload
from launch.status.state import State, Status
from launch.store import Experiment, Store
from launch.store.markers import cancel
from launch.submit.completion import Completion
from pcm.errors import ExitCode
from tests.cli.conftest import GRID, Pcm, Runs

DRY = ("launch", "small.yaml", "--dry-run")
LOCAL = ("--executor", "local")


@dataclass
class FakeRunner:
    """Stands in for the local runner: every experiment ends in the state it is told."""

    state: State = State.DONE
    is_interrupted: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[list[str], int, str | None]] = field(default_factory=list)

    def __call__(
        self,
        experiments: Sequence[Experiment],
        max_parallel: int,
        on_tick: Any,
        *,
        checkpoint: str | None = None,
    ) -> Completion:
        self.calls.append(([each.name for each in experiments], max_parallel, checkpoint))
        on_tick({each.id: Status(State.RUNNING) for each in experiments})
        statuses = {each.id: Status(self.state, "rank 0: it broke") for each in experiments}
        on_tick(statuses)
        return Completion(statuses, self.is_interrupted, self.refused)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> FakeRunner:
    fake = FakeRunner()
    monkeypatch.setattr(launch.local.running, "run_local", fake)
    return fake


def test_a_plan_names_every_point_and_what_it_asks_for(pcm: Pcm, project: Path) -> None:
    result = pcm("plan", "small.yaml")
    assert result.exit_code == 0
    assert "4 experiments: 4 to start" in result.stdout
    assert "each on 1 node x 1 rank, up to 01:00:00 an attempt" in result.stdout
    assert "at most 4 core-hours" in result.stdout
    assert "small-seed=1-max_epochs=2" in result.stdout
    assert not (project / "runs").exists()


def test_a_plan_for_programs(pcm: Pcm) -> None:
    plan = json.loads(pcm("plan", "small.yaml", "--json").stdout)
    assert plan["totals"] == {"start": 4, "resume": 0, "skip": 0}
    assert {each["action"] for each in plan["experiments"]} == {"start"}
    assert all(len(each["id"]) == 10 for each in plan["experiments"])


def test_a_plan_sees_what_is_there_already(pcm: Pcm, runs: Runs) -> None:
    runs.finish(0)
    runs.fail(1, "no")
    text = pcm("plan", "small.yaml").stdout
    assert "2 to start, 1 to resume, 1 to leave as they are" in text


def test_flags_win_over_the_grid_file(pcm: Pcm) -> None:
    flags = ("--tasks-per-node", "2", "--time", "02:00:00", "--set", "seed=5")
    plan = json.loads(pcm("plan", "small.yaml", *flags, "--json").stdout)
    assert len(plan["experiments"]) == 2
    assert {each["world_size"] for each in plan["experiments"]} == {2}
    assert {each["resources"]["time"] for each in plan["experiments"]} == {120}


def test_a_long_plan_is_cut_and_says_so(pcm: Pcm, project: Path) -> None:
    grid = (project / "small.yaml").read_text().replace("[0, 1]", str(list(range(40))))
    (project / "long.yaml").write_text(grid)
    text = pcm("plan", "long.yaml").stdout
    assert "60 more; pcm plan --all shows them" in text
    assert len(text.splitlines()) < 40
    assert "and 60 more like these" in pcm("launch", "long.yaml", *LOCAL, "--dry-run").stdout
    assert len(pcm("plan", "long.yaml", "--all").stdout.splitlines()) > 80


def test_a_dry_run_shows_commands_and_does_nothing(pcm: Pcm, project: Path) -> None:
    result = pcm("launch", "small.yaml", *LOCAL, "--dry-run")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if " -m pcm " in line]
    assert len(lines) == 4
    assert all("WORLD_SIZE=1 RANK=0 " in line and "--attempt 1" in line for line in lines)
    assert not (project / "runs").exists()


@pytest.mark.parametrize(("devices", "is_told"), [("", True), ("0", True), ("0,1", False)])
def test_gpus_that_are_not_here_are_told_before_anybody_is_asked(
    pcm: Pcm, monkeypatch: pytest.MonkeyPatch, devices: str, is_told: bool
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    words = ("launch", "small.yaml", "--gpus-per-node", "2", "--dry-run")
    assert ("so CPUs do the training" in pcm(*words, *LOCAL).stderr) is is_told
    assert "so CPUs" not in pcm(*words).stderr
    assert "so CPUs" not in pcm("launch", "small.yaml", "--dry-run", *LOCAL).stderr


def with_trainer(project: Path, **entries: Any) -> None:
    trainer = {"callbacks": [], "num_nodes": None, "devices": None, "kwargs": {}, **entries}
    (project / "mine.yaml").write_text(json.dumps(trainer, indent=0))
    text = GRID.replace("base: {", "base: {trainer: mine.yaml, ")
    (project / "small.yaml").write_text(text)


@pytest.mark.parametrize("devices", ["", "0"])
def test_a_trainer_that_insists_on_gpus_is_refused_where_they_are_not(
    pcm: Pcm, project: Path, monkeypatch: pytest.MonkeyPatch, devices: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    with_trainer(project, accelerator="gpu")
    for more in ((), ("--dry-run",)):
        refused = pcm("launch", "small.yaml", *LOCAL, "--yes", "--gpus-per-node", "2", *more)
        assert refused.exit_code == ExitCode.CONFIG_INVALID
        problem = f"needs 2 GPUs, and this machine shows {len(devices)}"
        assert f"mine.yaml:6: trainer.accelerator: {problem}" in refused.stderr
        assert "so CPUs" not in refused.stderr
    assert not (project / "runs" / "sweeps").exists()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert pcm("launch", "small.yaml", *LOCAL, "--gpus-per-node", "2", "--dry-run").exit_code == 0
    # Without an entry the launcher hides all GPUs.
    none = pcm("launch", "small.yaml", *LOCAL, "--yes")
    assert "insists on GPUs, and `resources` ask for none" in none.stderr


@pytest.mark.parametrize(
    ("entries", "flags", "told"),
    [
        ({"accelerator": "gpu"}, (), 'mine.yaml:6: trainer.accelerator: "gpu": insists on GPUs'),
        ({"accelerator": "gpu"}, ("--gpus-per-node", "1"), None),
        ({"accelerator": "gpu"}, ("--", "--gres=gpu:1"), None),
        ({"accelerator": "auto"}, (), None),
        ({"accelerator": "auto", "devices": [3]}, ("--gpus-per-node", "1"), "numbers below 1"),
        ({"accelerator": "cpu", "devices": [3]}, ("--gpus-per-node", "1"), None),
    ],
)
def test_what_a_node_may_not_have_is_told_with_its_place(
    pcm: Pcm, project: Path, entries: dict[str, Any], flags: tuple[str, ...], told: str | None
) -> None:
    with_trainer(project, **entries)
    texts = [pcm(*words, *flags).output for words in (("plan", "small.yaml"), DRY)]
    if not flags:
        texts.append(pcm("validate", "small.yaml").stderr)
    for text in texts:
        flat = " ".join(text.split())
        assert told in flat if told else "trainer." not in flat


def test_a_dry_run_works_where_there_is_no_slurm(pcm: Pcm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert pcm("launch", "small.yaml", "--dry-run").exit_code == 0


def test_without_slurm_a_launch_says_what_to_do(
    pcm: Pcm, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    result = pcm("launch", "small.yaml", "--yes")
    assert result.exit_code == 4
    assert "--executor local" in result.stderr
    assert not (project / "runs").exists()


def test_nobody_to_ask_and_no_yes(pcm: Pcm, project: Path, runner: FakeRunner) -> None:
    result = pcm("launch", "small.yaml", *LOCAL)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not runner.calls
    assert not (project / "runs").exists()


def test_json_without_yes_is_refused_before_anything(pcm: Pcm) -> None:
    result = pcm("launch", "small.yaml", *LOCAL, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""


def test_a_launch_runs_everything_and_ends_with_a_table(
    pcm: Pcm, project: Path, runner: FakeRunner
) -> None:
    result = pcm("launch", "small.yaml", *LOCAL, "--yes", "--max-parallel", "3")
    assert result.exit_code == 0, result.output
    [(names, parallel, checkpoint)] = runner.calls
    assert len(names) == 4
    assert (parallel, checkpoint) == (3, None)
    assert (project / "runs" / "sweeps" / "small").is_dir()
    assert "max_epochs" in result.stdout.splitlines()[-6]


def test_as_many_run_at_once_as_there_is_room_and_the_grid_allows(
    pcm: Pcm, project: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch.local.running, "default_parallel", lambda *_size: 8)
    grid = project / "small.yaml"
    for limit, expected in ((3, 3), (16, 8)):
        resources = f"{{tasks_per_node: {limit}, max_parallel: {limit}}}"
        text = grid.read_text().split("resources:")[0]
        grid.write_text(f"{text}resources: {resources}\n")
        assert pcm("launch", "small.yaml", *LOCAL, "--yes").exit_code == 0
        assert runner.calls[-1][1] == expected


def test_a_launch_for_programs_prints_json_alone(pcm: Pcm, runner: FakeRunner) -> None:
    result = pcm("launch", "small.yaml", *LOCAL, "--yes", "--json")
    assert len(json.loads(result.stdout)) == 4
    assert "4 to start" in result.stderr


def test_launching_again_does_nothing(pcm: Pcm, runs: Runs, runner: FakeRunner) -> None:
    for index in range(4):
        runs.finish(index, **{"val/loss": 0.25})
    result = pcm("launch", "small.yaml", *LOCAL)
    assert result.exit_code == 0, result.output
    assert "Nothing new to launch." in result.stdout
    assert "0.25" in result.stdout
    assert not runner.calls
    assert len(runs.store.sweeps()[0].launches) == 1


def test_a_grid_that_was_cancelled_is_told_as_such(
    pcm: Pcm, runs: Runs, runner: FakeRunner
) -> None:
    for experiment in runs.experiments:
        cancel(runs.store.root, experiment.id)
    result = pcm("launch", "small.yaml", *LOCAL)
    assert result.exit_code == 0, result.output
    assert "All of it was cancelled; `pcm resume small` brings it back." in result.stdout
    assert not runner.calls


def test_an_extended_grid_runs_only_what_is_new(
    pcm: Pcm, project: Path, runs: Runs, runner: FakeRunner
) -> None:
    for index in range(4):
        runs.finish(index)
    grid = project / "small.yaml"
    grid.write_text(grid.read_text().replace("[0, 1]", "[0, 1, 2]"))
    assert pcm("launch", "small.yaml", *LOCAL, "--yes").exit_code == 0
    assert runner.calls[0][0] == ["small-seed=2-max_epochs=1", "small-seed=2-max_epochs=2"]


def test_a_failure_is_told_and_is_the_exit_code(pcm: Pcm, runner: FakeRunner) -> None:
    runner.state = State.FAILED
    result = pcm("launch", "small.yaml", *LOCAL, "--yes")
    assert result.exit_code == 1
    assert "failed: rank 0: it broke; pcm logs " in result.stderr
    assert "4 not done; to go on: pcm resume " in result.stderr


def test_an_interrupt_is_told_and_is_the_exit_code(pcm: Pcm, runner: FakeRunner) -> None:
    runner.state, runner.is_interrupted = State.STOPPED, True
    result = pcm("launch", "small.yaml", *LOCAL, "--yes")
    assert result.exit_code == 130
    assert "to go on: pcm resume " in result.stderr


def test_what_somebody_else_cancelled_has_not_failed(pcm: Pcm, runner: FakeRunner) -> None:
    runner.state = State.CANCELLED
    result = pcm("launch", "small.yaml", *LOCAL, "--yes")
    assert result.exit_code == 130
    assert "failed" not in result.stderr


def test_debugging_makes_experiments_of_one_rank(pcm: Pcm) -> None:
    arguments = ("--executor", "debug", "--tasks-per-node", "4", "--dry-run")
    text = pcm("launch", "small.yaml", *arguments).stdout
    assert "each on 1 node x 1 rank" in text


def test_an_image_is_refused_for_now(pcm: Pcm, runner: FakeRunner) -> None:
    result = pcm("launch", "small.yaml", *LOCAL, "--yes", "--image", "pcm.sif")
    assert result.exit_code == 4
    assert "pcm.sif" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "tracker"),
    [
        (("--tracker", "none"), None),
        (("--tracker", "csv"), {"name": "csv", "project": None}),
        (("--tracker", "neptune"), {"name": "neptune", "project": "a/b"}),
        (
            ("--tracker", "tensorboard, neptune"),
            [{"name": "tensorboard", "project": None}, {"name": "neptune", "project": "a/b"}],
        ),
        ((), {"name": "neptune", "project": "a/b"}),
    ],
)
def test_the_tracker_of_the_command_line_wins(
    pcm: Pcm, project: Path, runner: FakeRunner, arguments: tuple[str, ...], tracker: Any
) -> None:
    grid = project / "small.yaml"
    grid.write_text(grid.read_text() + "tracker: {name: neptune, project: a/b}\n")
    assert pcm("launch", "small.yaml", *LOCAL, "--yes", *arguments).exit_code == 0
    [record] = (project / "runs").glob("sweeps/small/*/sweep.json")
    assert json.loads(record.read_text())["tracker"] == tracker


@pytest.mark.parametrize(
    ("assignment", "code", "told"),
    [
        ("seed", 2, "PATH=VALUE"),
        ("=3", 2, "PATH=VALUE"),
        ("seed=[1", 2, "seed=[1"),
        ("sead=1", 3, "did you mean 'seed'?"),
        ("model.chain.encodr.cfg.output_dim=3", 3, "encoder"),
        ("model.training.max_epochs=many", 3, "max_epochs"),
    ],
)
def test_a_bad_override(pcm: Pcm, assignment: str, code: int, told: str) -> None:
    result = pcm("plan", "small.yaml", "--set", assignment)
    assert result.exit_code == code
    assert told in result.stderr


def test_a_site_fills_in_what_the_grid_leaves_open(pcm: Pcm, project: Path) -> None:
    (project / "config/sites/mine.yaml").write_text("defaults: {partition: night}\n")
    assert "partition night" in pcm("plan", "small.yaml", "--site", "mine").stdout


def test_an_unknown_site_is_answered_with_those_there_are(pcm: Pcm) -> None:
    result = pcm("plan", "small.yaml", "--site", "nowhere")
    assert result.exit_code == 2
    assert "gres" in result.stderr


def test_a_model_is_no_grid(pcm: Pcm, project: Path) -> None:
    model = next(project.rglob("models/*.yaml")).relative_to(project)
    result = pcm("plan", str(model))
    assert result.exit_code == 3
    assert f"{model}: this is a model file\n  expected: a grid file" in result.stderr
    assert "unknown key" not in result.stderr


def test_a_missing_grid(pcm: Pcm) -> None:
    result = pcm("launch", "smal.yaml", *LOCAL)
    assert result.exit_code == 3
    assert "did you mean 'small.yaml'?" in result.stderr


def test_a_runs_folder_that_cannot_be_written(pcm: Pcm, project: Path) -> None:
    (project / "file").write_text("")
    result = pcm("launch", "small.yaml", *LOCAL, "--yes", "--runs-dir", "file")
    assert result.exit_code == 4
    assert "--runs-dir" in result.stderr


def test_a_webhooks_address_is_not_written_down(
    pcm: Pcm, project: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "home"))
    settings = project / "home" / "pcm" / "config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("notify: [me@example.org, 'https://hooks.example.org/s3cret']\n")
    assert pcm("launch", "small.yaml", *LOCAL, "--yes").exit_code == 0
    [record] = (project / "runs").glob("sweeps/small/*/sweep.json")
    assert json.loads(record.read_text())["notify"] == ["me@example.org", "webhook"]
    assert not any("s3cret" in path.read_text() for path in record.parent.glob("*.json*"))


@pytest.mark.parametrize("target", ["https://hooks.example.org/s3cret", "me", "[webhook, me]"])
def test_a_grid_names_those_who_can_be_told(pcm: Pcm, project: Path, target: str) -> None:
    grid = project / "small.yaml"
    grid.write_text(f"{grid.read_text()}notify: {target}\n")
    result = pcm("plan", "small.yaml")
    assert result.exit_code == 3
    assert "notify" in result.stderr
    assert "s3cret" not in result.stderr


def test_a_grid_names_modules_to_load_once(
    pcm: Pcm, project: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "home"))
    settings = project / "home" / "pcm" / "config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("preload: [json, my_models]\n")
    grid = project / "small.yaml"
    text = grid.read_text()
    grid.write_text(f"{text}preload: [my_models, my_models.blocks]\n")
    (project / "my_models").mkdir()
    (project / "my_models" / "__init__.py").touch()
    (project / "my_models" / "blocks.py").touch()
    assert pcm("launch", "small.yaml", *LOCAL, "--yes").exit_code == 0
    experiments = Store(project / "runs").experiments()
    assert experiments[0].launch.record["preload"] == ["my_models", "my_models.blocks"]
    assert modules_to_preload(experiments) == ["json", "my_models", "my_models.blocks"]
    grid.write_text(text)
    assert [point.id for point in expand(grid).points] == [each.id for each in experiments]


def test_a_module_to_load_once_that_is_not_there_is_told(pcm: Pcm, project: Path) -> None:
    (project / "my_models.py").touch()
    grid = project / "small.yaml"
    grid.write_text(f"{grid.read_text()}preload:\n- json\n- my_modles\n")
    for words in (("validate", "small.yaml"), ("launch", "small.yaml", *LOCAL, "--yes")):
        result = pcm(*words)
        assert result.exit_code == 3
        line = len(grid.read_text().splitlines())
        assert f"small.yaml:{line}: preload.1: no source of my_modles" in result.stderr
        assert "did you mean 'my_models'?" in result.stderr


@pytest.mark.parametrize("name", ["my models", "import", "./my_models.py", "''"])
def test_only_modules_are_loaded_once(pcm: Pcm, project: Path, name: str) -> None:
    grid = project / "small.yaml"
    grid.write_text(f"{grid.read_text()}preload: [{name}]\n")
    result = pcm("plan", "small.yaml")
    assert result.exit_code == 3
    assert "preload" in result.stderr
    assert "not a module's name" in result.stderr
