"""Resources from flags, grid, settings and site: who wins, and that plan and script agree."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from tests.cli.conftest import Pcm

ALWAYS = {"array", "comment", "job-name", "open-mode", "output", "requeue", "signal"}
"""Options of every script, whatever is asked for."""

SITE = """\
defaults: {account: theirs, mem_per_gpu: 8G, mem: 4G, time: 2h}
sbatch: {partition: slow, mail-type: END, gres: "tmpfs:100G", licenses: a, mail-user: me}
"""


def grid_file(resources: dict[str, Any], seeds: str = "[0]") -> str:
    base = "{model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}"
    entries = json.dumps(resources)
    text = f"name: one\nbase: {base}\ngrid: {{seed: {seeds}}}\nresources: {entries}\n"
    Path("one.yaml").write_text(text)
    return "one.yaml"


def script_options(output: str) -> dict[str, str]:
    """The options of the script that a dry run prints; empty for one without a value."""
    lines = re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", output, re.MULTILINE)
    return {name: "".join(shlex.split(value)) for name, value in lines if name not in ALWAYS}


def planned_options(record: dict[str, Any]) -> dict[str, str]:
    """What sbatch has to be asked for, from a plan's record alone."""
    left = {key: value for key, value in record.items() if key != "sbatch"}
    nodes, gpus, ranks = (
        left.pop("nodes"),
        left.pop("gpus_per_node", 0),
        left.pop("tasks_per_node", 1),
    )
    options = {"nodes": str(nodes), "ntasks-per-node": str(gpus or ranks)}
    cores = left.pop("cpus_per_gpu", left.pop("cpus_per_task", None))
    if cores is not None:
        options["cpus-per-task"] = str(cores)
    memory = left.pop("mem_per_gpu") * gpus if "mem_per_gpu" in left else left.pop("mem", None)
    if memory is not None:
        options["mem"] = f"{memory}M" if memory else "0"
    further = {
        name: "" if value is True else str(value)
        for name, value in record.get("sbatch", {}).items()
    }
    if gpus:
        kind = left.pop("gpu_type", None)
        amount = ":".join(filter(None, ["gpu", kind, str(gpus)]))
        further["gres"] = ",".join(filter(None, [amount, further.get("gres")]))
    if left.pop("exclusive", False):
        options["exclusive"] = ""
    return options | further | {name.replace("_", "-"): str(value) for name, value in left.items()}


@pytest.mark.parametrize(
    "resources", [{}, {"gpus_per_node": 4, "time": 90}, {"mem": 0, "qos": "q"}]
)
@pytest.mark.parametrize(
    "flags",
    [
        "",
        "-p gpu -A me -t 1d12h -N 2 --mem 64Gi",
        "--exclude n1,n2 --nodelist n3 --exclusive --begin 16:00 --mail-type end --qos low",
        "--gpus-per-node 2 --gpu-type a100 --cpus-per-gpu 3 --mem-per-gpu 1.5G -- -L b --hold",
        "--reservation r --constraint ib --mail-user you -- --nice=5 --gres=x:1",
    ],
)
def test_the_script_says_what_the_plan_says(
    pcm: Pcm, resources: dict[str, Any], flags: str
) -> None:
    grid = grid_file(resources)
    Path("here.yaml").write_text(SITE)
    words = [grid, "--site", "here.yaml", *shlex.split(flags)]
    planned = pcm("plan", "--json", *words)
    assert planned.exit_code == 0, planned.stderr
    [experiment] = json.loads(planned.stdout)["experiments"]
    shown = pcm("launch", "--dry-run", *words)
    assert script_options(shown.stdout) == planned_options(experiment["resources"])


def script_of(pcm: Pcm, *words: str) -> dict[str, str]:
    shown = pcm("launch", "--dry-run", *words)
    assert shown.exit_code == 0, shown.stderr
    return script_options(shown.stdout)


def test_a_flag_beats_the_grid_and_that_beats_all_of_a_site(pcm: Pcm) -> None:
    Path("here.yaml").write_text(
        "defaults: {account: theirs}\nsbatch: {time: '5', mem: 0, partition: slow, qos: low}\n"
    )
    grid = grid_file({"time": 30, "mem": "1G"})
    script = script_of(pcm, grid, "--site", "here.yaml", "--partition", "gpu", "--time", "1h")
    assert script["partition"] == "gpu"
    assert (script["time"], script["mem"]) == ("60", "1024M")
    assert (script["account"], script["qos"]) == ("theirs", "low")


def test_a_flag_for_the_whole_node_replaces_what_the_grid_has_for_each_gpu(pcm: Pcm) -> None:
    grid = grid_file({"gpus_per_node": 4, "mem_per_gpu": "32G", "cpus_per_gpu": 8})
    script = script_of(pcm, grid, "--mem", "10G", "--cpus-per-task", "2")
    assert (script["mem"], script["cpus-per-task"]) == ("10240M", "2")


def test_a_generic_resource_of_a_site_joins_the_gpus(pcm: Pcm) -> None:
    Path("here.yaml").write_text('sbatch: {gres: "tmpfs:100G", gpu-bind: none}\n')
    grid = grid_file({"gpus_per_node": 4})
    script = script_of(pcm, grid, "--site", "here.yaml")
    assert (script["gres"], script["gpu-bind"]) == ("gpu:4,tmpfs:100G", "none")
    script = script_of(pcm, grid, "--site", "here.yaml", "--", "--gres=tmpfs:5G,fast:1")
    assert script["gres"] == "gpu:4,tmpfs:5G,fast:1"
    script = script_of(pcm, grid, "--site", "here.yaml", "--gpus-per-node", "0")
    assert script["gres"] == "tmpfs:100G"
    assert "gpu-bind" not in script


@pytest.mark.parametrize(
    ("memory", "resources", "asked"),
    [
        ("per-cpu", {"mem": "10G", "cpus_per_task": 3}, {"mem-per-cpu": "3414M"}),
        (
            "per-cpu",
            {"gpus_per_node": 2, "mem_per_gpu": "8G", "cpus_per_gpu": 4},
            {"mem-per-cpu": "2048M"},
        ),
        ("per-gpu", {"gpus_per_node": 2, "mem": "8G"}, {"mem-per-gpu": "4096M"}),
        ("per-gpu", {"mem": "8G"}, {"mem": "8192M"}),
        ("none", {"mem": "8G"}, {}),
        ("per-node", {"mem": 0}, {"mem": "0"}),
    ],
)
def test_a_site_says_how_memory_is_asked_for(
    pcm: Pcm, memory: str, resources: dict[str, Any], asked: dict[str, str]
) -> None:
    Path("here.yaml").write_text(f"memory: {memory}\nsbatch: {{mem-per-cpu: 1G}}\n")
    script = script_of(pcm, grid_file(resources), "--site", "here.yaml")
    found = {name: value for name, value in script.items() if name.startswith("mem")}
    assert found == (asked or {"mem-per-cpu": "1G"})


def test_all_of_a_node_can_be_asked_for_by_the_node_alone(pcm: Pcm) -> None:
    Path("here.yaml").write_text("memory: per-cpu\n")
    refused = pcm("plan", grid_file({"mem": 0}), "--site", "here.yaml")
    assert refused.exit_code == ExitCode.CONFIG_INVALID
    assert "exclusive" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mem", "much"], "--mem: not understood"),
        (["--time", "never"], "--time: not understood"),
        (["--mail-type", "sometimes"], "--mail-type: not understood"),
        (["--gpu-type", "gpu:a100"], "--gpu-type: not understood"),
        (["--gpu-type", "a100"], "--gpu-type: no effect without GPUs"),
        (["--set", "resources.mem=much"], "--set: resources.mem: not understood"),
        (["--set", "seed.x=5"], "--set: seed.x: nothing is below 'seed'"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "launch --dry-run"])
def test_faults_of_options_say_the_option(
    pcm: Pcm, command: str, words: list[str], said: str
) -> None:
    refused = pcm(*command.split(), grid_file({}), *words)
    assert refused.exit_code == ExitCode.CONFIG_INVALID
    assert said in refused.stderr
    if "not understood" in said:
        assert "expected: " in refused.stderr


def test_a_fault_of_an_option_of_train_says_the_option(pcm: Pcm) -> None:
    files = ["--model-cfg", "vae.yaml", "--data-train", "mnist-plain-train.yaml"]
    refused = pcm("train", *files, "--tracker", "none", "--mem", "much", "--dry-run")
    assert refused.exit_code == ExitCode.CONFIG_INVALID
    assert "--mem: not understood" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-- -o x", "--output: this option of sbatch is ours"),
        ("-- --array=0-3", "--array: this option of sbatch is ours"),
        ("-- -n 4", "--ntasks: this option of sbatch is ours"),
        ("-- --gres=gpu:8", "--gres: this generic resource is ours"),
        ("stray", "not an option of sbatch: stray"),
        ("-- ---", "not an option of sbatch"),
        ("-p a -- -p b", "-p is said before"),
    ],
)
def test_what_nobody_can_say_behind_the_dashes(pcm: Pcm, words: str, said: str) -> None:
    refused = pcm("plan", grid_file({}), *words.split())
    assert refused.exit_code == ExitCode.USAGE
    assert said in refused.stderr


def test_an_option_of_ours_behind_the_dashes_is_that_option(pcm: Pcm) -> None:
    script = script_of(
        pcm, grid_file({"time": 5}), "--", "-t", "1:00:00", "-c4", "--exclusive=user"
    )
    assert (script["time"], script["cpus-per-task"], script["exclusive"]) == ("60", "4", "user")


def test_a_users_account_holds_where_neither_flag_nor_grid_says(
    pcm: Pcm, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project))
    (project / "pcm").mkdir()
    (project / "pcm" / "config.yaml").write_text("account: mine\nruns_dir: there\n")
    Path("here.yaml").write_text("defaults: {account: theirs}\n")
    assert script_of(pcm, grid_file({}), "--site", "here.yaml")["account"] == "mine"
    assert script_of(pcm, grid_file({"account": "grids"}))["account"] == "grids"
    assert script_of(pcm, grid_file({"account": "grids"}), "-A", "typed")["account"] == "typed"
    shown = pcm("launch", "--dry-run", grid_file({}))
    assert str(project / "pcm" / "there" / "sweeps") in shown.stdout.replace("'\"'\"'", "'")
