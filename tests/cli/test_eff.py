"""`pcm eff` over records that supervisors would have written."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.results.advice import round_memory, round_minutes
from launch.site.resources import parse_resources
from pcm.run_dir import AttemptDir, write_json
from tests.cli.conftest import GRID, Pcm, Runs

ASKED = GRID.replace(
    "tasks_per_node: 1,", "tasks_per_node: 1, cpus_per_task: 8, mem: 32G, partition: a,"
)


def used(attempt: AttemptDir, hours: float = 0.5, rank: int = 0, **figures: Any) -> None:
    """What the supervisor of a rank leaves."""
    started = json.loads(attempt.attempt.read_text())["started"]
    outcome = {"exit_code": 0, "ended": started + 3600 * hours, "largest_process_mb": 1000}
    write_json(attempt.outcome(rank), outcome)
    figures = {"seconds": 1000.0, "cpu_s": 1500.0, "memory_mb": 3000.0} | figures
    write_json(attempt.usage(rank), {"samples": 30, "cores_max": 3.0} | figures)


@pytest.fixture
def asked(project: Path) -> None:
    """The grid asks for more than its experiments use. Comes before `runs`."""
    (project / "small.yaml").write_text(ASKED)


def advice(text: str) -> dict[str, Any]:
    """The line to paste, as a grid file reads it."""
    [line] = [line for line in text.splitlines() if line.startswith("  resources:")]
    resources: dict[str, Any] = yaml.safe_load(line)["resources"]
    assert parse_resources(resources)[1] == []
    return resources


@pytest.mark.usefixtures("asked")
def test_what_was_used_of_what_was_asked_for_and_what_to_ask_next_time(
    request: pytest.FixtureRequest, pcm: Pcm
) -> None:
    runs: Runs = request.getfixturevalue("runs")
    used(runs.finish(0), hours=0.5)
    used(runs.finish(1), hours=0.6, cpu_s=2500.0, memory_mb=4500.0)
    used(runs.fail(2, "no"), hours=0.9, cpu_s=8000.0, memory_mb=31000.0)
    result = pcm("eff", "small")
    assert result.exit_code == 0
    first, failed = (
        next(line for line in result.output.splitlines() if line.startswith(each.id)).split("  ")
        for each in (runs.experiments[0], runs.experiments[2])
    )
    cells = [cell.strip() for cell in first if cell]
    assert cells[1:] == ["done", "1.5 of 8", "2.9G of 32G", "30m 00s of 1h 00m"]
    assert "30.3G of 32G" in [cell.strip() for cell in failed]
    assert advice(result.output) == {"mem": "6G", "cpus_per_task": 4, "time": "00:50:00"}
    assert "from 2 experiments" in result.output


@pytest.mark.usefixtures("asked")
def test_who_waits_for_data_is_advised_to_have_them_sooner(
    request: pytest.FixtureRequest, pcm: Pcm
) -> None:
    runs: Runs = request.getfixturevalue("runs")
    attempt = runs.finish(0)
    used(attempt)
    used(attempt, rank=1)
    write_json(attempt.progress, {"waited_for_data_s": 5.0, "training_s": 100.0})
    write_json(attempt.data(1), {"waited_for_data_s": 30.0, "training_s": 100.0})
    output = pcm("eff", "small").output
    assert "30 %" in output
    assert "waited for data 30 % of the time: more workers" in output
    # Two ranks used 3 cores of 8, which are for those workers.
    assert advice(output)["cpus_per_task"] == 8
    identifier = runs.experiments[0].id
    assert "30 % of the time for data" in pcm("show", identifier).output
    rows = pcm("results", "small", "--columns", "id,data_wait", "--format", "csv").stdout
    assert f"{identifier},30.0" in rows.splitlines()
    assert f"{runs.experiments[1].id}," in rows.splitlines()


def test_for_programs(runs: Runs, pcm: Pcm) -> None:
    used(runs.finish(0), gpu_percent=80.0, gpu_memory_mb=40000.0, gpu_power_w=600.0)
    record = json.loads(pcm("eff", runs.experiments[0].id, "--json").stdout)
    [experiment] = record["experiments"]
    assert experiment["asked"] == {"cores": None, "memory_mb": None, "minutes": 60, "gpus": 0}
    assert experiment["used"]["cores"] == 1.5
    assert experiment["used"]["gpu_percent"] == 80
    assert record["advice"][0]["resources"] == {
        "mem": "4G",
        "cpus_per_task": 2,
        "time": "00:40:00",
    }


def test_ranks_of_a_node_and_attempts_come_together(runs: Runs, pcm: Pcm) -> None:
    used(runs.attempt(0), hours=2.0, cpu_s=500.0, memory_mb=9000.0)
    last = runs.finish(0)
    used(last)
    used(last, rank=1, cpu_s=4000.0)
    record = json.loads(pcm("eff", "small", "--json").stdout)
    found = next(e for e in record["experiments"] if e["id"] == runs.experiments[0].id)["used"]
    assert (found["cores"], found["cores_of_rank"]) == (5.0, 4.0)
    assert found["memory_mb"] == 9000
    assert found["longest_s"] == pytest.approx(7200)


def test_a_limit_and_cores_that_were_all_taken_are_left_as_they_are(
    project: Path, request: pytest.FixtureRequest, pcm: Pcm
) -> None:
    (project / "small.yaml").write_text(ASKED.replace("cpus_per_task: 8", "cpus_per_task: 2"))
    runs: Runs = request.getfixturevalue("runs")
    used(runs.finish(0), hours=0.99, cpu_s=1950.0)
    result = pcm("eff", "small")
    assert advice(result.output) == {"mem": "4G", "cpus_per_task": 2}
    assert "all cores of a rank were busy" in result.output
    assert "all of its time limit" in result.output


def test_gpus_that_wait_are_told_of_and_memory_is_by_the_gpu(
    project: Path, request: pytest.FixtureRequest, pcm: Pcm
) -> None:
    wanted = "gpus_per_node: 1, cpus_per_gpu: 4, mem_per_gpu: 16G"
    (project / "small.yaml").write_text(GRID.replace("tasks_per_node: 1", wanted))
    runs: Runs = request.getfixturevalue("runs")
    used(runs.finish(0), gpu_percent=12.4, gpu_memory_mb=9000.0)
    result = pcm("eff", "small")
    assert advice(result.output) == {"mem_per_gpu": "4G", "cpus_per_gpu": 2, "time": "00:40:00"}
    assert "GPUs computed for 12 % of the time" in result.output
    assert "12 % of 1" in result.output
    assert "8.8G" in result.output


def test_the_table_fits_the_terminal(
    project: Path, request: pytest.FixtureRequest, pcm: Pcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    wanted = "gpus_per_node: 4, cpus_per_gpu: 16, mem_per_gpu: 160G"
    grid = GRID.replace("tasks_per_node: 1", wanted).replace("01:00:00", "1-00:00:00")
    (project / "small.yaml").write_text(grid)
    runs: Runs = request.getfixturevalue("runs")
    used(runs.finish(0), hours=17.3, gpu_percent=98.4, gpu_memory_mb=79000.0, memory_mb=500_000.0)
    lines = pcm("eff", "small").output.splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    for word in (runs.experiments[0].id, "17h", "18m", "488.3G", "640G", "77.1G", "98"):
        assert word in words


def test_without_a_note_it_says_that_nothing_is_known(runs: Runs, pcm: Pcm) -> None:
    attempt = runs.finish(0)
    used(attempt)
    attempt.usage(0).unlink()
    result = pcm("eff", runs.experiments[0].id)
    assert result.exit_code == 0
    assert "isn't known until one with figures is done" in result.output
    assert "of 1 experiment nothing is known" in result.output
    assert "resources:" not in result.output


def test_a_damaged_note_is_told_of(runs: Runs, pcm: Pcm) -> None:
    attempt = runs.finish(0)
    used(attempt)
    attempt.usage(0).write_text("{")
    result = pcm("eff", runs.experiments[0].id)
    assert "usage-0.json" in result.output
    assert "Traceback" not in result.output


def test_results_have_it_as_columns(runs: Runs, pcm: Pcm) -> None:
    used(runs.finish(0), gpu_percent=80.0)
    columns = "id,cores_used,memory_mb,gpu_use"
    rows = pcm("results", "small", "--columns", columns, "--format", "csv").stdout.splitlines()
    assert rows[0] == columns
    assert f"{runs.experiments[0].id},1.5,3000.0,80.0" in rows
    assert f"{runs.experiments[1].id},,," in rows


def test_the_page_of_a_sweep_tells_of_it(runs: Runs, pcm: Pcm) -> None:
    used(runs.finish(0, **{"val/loss": 0.5}), gpu_percent=80.0)
    assert pcm("report", "small", "-o", "page.html").exit_code == 0
    page = Path("page.html").read_text()
    assert "1.5 cores on average, at most 2.9G of a node's memory, GPUs for 80 %" in page


@pytest.mark.parametrize(
    ("megabytes", "rounded"),
    [(0, 256), (256, 256), (257, 512), (2048, 2048), (2049, 3072), (70_000.5, 70_656)],
)
def test_memory_is_rounded_up(megabytes: float, rounded: int) -> None:
    assert round_memory(megabytes) == rounded


@pytest.mark.parametrize(
    ("minutes", "rounded"), [(0.1, 10), (11, 15), (120, 120), (121, 135), (721, 780)]
)
def test_time_is_rounded_up(minutes: float, rounded: int) -> None:
    assert round_minutes(minutes) == rounded


def test_what_experiments_of_a_pack_share_is_asked_for_all_that_share_it(
    project: Path, request: pytest.FixtureRequest, pcm: Pcm
) -> None:
    packed = ASKED.replace("mem: 32G", "mem: 32G, pack: {per_job: 4, per_gpu: 2}")
    (project / "small.yaml").write_text(packed)
    runs: Runs = request.getfixturevalue("runs")
    used(runs.finish(0))
    # The time is that of a job for many.
    assert advice(pcm("eff", "small").output) == {"mem": "8G", "cpus_per_task": 4}
