"""Scripts of one's own, launched here: to their end, to a stop and on, to a failure."""

from pathlib import Path

import pytest

from launch.local.debug import run_debug
from launch.results.rows import results_of
from launch.status.state import State
from launch.status.why import why
from launch.store import Experiment
from pcm.run_dir import read_journal, read_json
from tests.scripts.conftest import Folder, run

HAND_MADE = """\
import json, os, signal, sys, time
from pathlib import Path

asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
params = json.load(open(os.environ["PCM_CONFIG"]))
assert sys.argv[1:] == ["--width", "3", "--name", params["name"]], sys.argv
saved = Path(os.environ["PCM_RUN_DIR"]) / "mine.txt"
first = int(saved.read_text()) if saved.exists() else 0
metrics = open(os.environ["PCM_METRICS"], "a")
for step in range(first + 1, 61):
    time.sleep(0.05)
    while step == 50 and not (asked or first):
        time.sleep(0.05)  # a stop comes late on a busy machine
    metrics.write(json.dumps({"step": step, "loss": 1 / step, "note": "left out"}) + "\\n")
    metrics.flush()
    if asked:
        saved.write_text(str(step))
        sys.exit(75)
"""

HAND_MADE_GRID = """\
run:
  command: [python, train.py, --width, "{net.width}", --name, "{name}"]
  params: {net: {width: 3}, name: "a {b} 'c'"}
  stop_signal: USR1
resources: {tasks_per_node: 1}
"""

BY_HAND_ON_TWO_RANKS = """\
import json, os, signal, sys
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
dist.init_process_group("gloo")
is_first = dist.get_rank() == 0
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(2, 1))
saved = os.path.join(os.environ["PCM_RUN_DIR"], "mine.pt")
state = torch.load(saved) if os.path.exists(saved) else {"step": 0}
if state["step"]:
    model.load_state_dict(state["model"])
for step in range(state["step"] + 1, 30_001):
    loss = (model(torch.full((1, 2), 1.0 + dist.get_rank())) ** 2).sum()
    loss.backward()
    stop = torch.tensor(float(is_first and bool(asked)))
    dist.broadcast(stop, 0)
    if is_first:
        with open(os.environ["PCM_METRICS"], "a") as metrics:
            metrics.write(json.dumps({"step": step, "train/loss": loss.item()}) + "\\n")
    if stop:
        if is_first:
            torch.save({"step": step, "model": model.state_dict()}, saved)
        sys.exit(75)
"""


def log(experiment: Experiment, attempt: int = 1) -> str:
    return experiment.run_dir.attempt(attempt).log(0).read_text()


def check_journal(experiment: Experiment, steps: int, key: str) -> None:
    """Every step is there once, the numbers of an interrupted run and of the one after it."""
    rows = [row for row in read_journal(experiment.run_dir.metrics) if key in row.values]
    assert [row.step for row in rows] == list(range(1, steps + 1))
    assert {row.attempt for row in rows} == {1, 2}


def stop_and_go_on(experiment: Experiment, steps: int, key: str = "loss") -> None:
    stopped = run([experiment], stop_at=3)
    assert stopped.statuses[experiment.id].state is State.STOPPED, log(experiment)
    record = read_json(experiment.run_dir.attempt(1).stopped)
    assert 3 <= record["step"] < steps
    ended = run([experiment])
    assert ended.statuses[experiment.id].state is State.DONE, log(experiment, 2)
    check_journal(experiment, steps, key)


def test_ddp_in_plain_pytorch_goes_on_where_it_was(folder: Folder) -> None:
    folder.copy_example("plain_pytorch")
    script = Path("train.py")
    # Slow enough that a stop comes in time on any machine.
    script.write_text(
        script.read_text().replace("run.log(", "__import__('time').sleep(0.02)\n        run.log(")
    )
    [interrupted, _] = folder.launch(run__params__steps=250)
    stop_and_go_on(interrupted, 250)

    [result] = results_of([interrupted])
    assert result.step == 250
    assert result.metrics["val/loss"] == pytest.approx(0, abs=0.2)
    assert read_json(interrupted.run_dir.attempt(2).finished)["metrics"] == result.metrics


def test_ddp_without_our_helper_stops_where_it_says(folder: Folder) -> None:
    grid = "run: {command: [python, train.py]}\nresources: {tasks_per_node: 2}\n"
    folder.write(train_py=BY_HAND_ON_TWO_RANKS, grid_yaml=grid)
    [experiment] = folder.launch()
    stopped = run([experiment], stop_at=3)
    assert stopped.statuses[experiment.id].state is State.STOPPED, log(experiment)
    step = read_json(experiment.run_dir.attempt(1).stopped)["step"]
    assert 3 <= step < 30_000
    assert (experiment.run_dir.path / "mine.pt").exists()
    rows = read_journal(experiment.run_dir.metrics)
    assert [row.step for row in rows] == list(range(1, step + 1))


def test_ten_lines_of_sklearn(folder: Folder) -> None:
    folder.copy_example("scikit_learn")
    experiments = folder.launch(seed=0, run__params__trees=3)
    run(experiments)
    [result] = results_of(experiments)
    assert result.state is State.DONE
    assert result.metrics["accuracy"] > 0.8


def test_a_script_that_knows_nothing_of_pcm_but_its_variables(folder: Folder) -> None:
    folder.write(train_py=HAND_MADE, grid_yaml=HAND_MADE_GRID)
    [experiment] = folder.launch()
    stop_and_go_on(experiment, 60)
    assert (experiment.run_dir.path / "params.yaml").read_text().startswith("net:\n  width: 3\n")
    assert "loss" in experiment.run_dir.metrics_table.read_text()


def test_one_that_dies_of_the_signal_was_stopped(folder: Folder) -> None:
    script = "import json, os, time\n"
    script += (
        "print(json.dumps({'step': 5, 'loss': 1}), file=open(os.environ['PCM_METRICS'], 'w'))\n"
    )
    script += "time.sleep(60)\n"
    grid = "run: {command: [python, train.py]}\nresources: {tasks_per_node: 1}\n"
    folder.write(train_py=script, grid_yaml=grid)
    [experiment] = folder.launch()
    assert run([experiment], stop_at=5).statuses[experiment.id].state is State.STOPPED
    assert "was killed by SIGTERM" in log(experiment)


FAILING = f"""\
run: {{command: [ls]}}
grid:
  run.command:
  - [sh, -c, "echo so it goes; exit 3"]
  - [no-such-program]
  - [sh, -c, "kill -9 $$", {"an option and another one, " * 9!r}]
  - [sh, -c, "kill -40 $$"]
  - [sh, -c, "train.py --lr 0.1"]
resources: {{tasks_per_node: 1}}
"""


FAILS_FIRST = """\
[ $RANK = 1 ] && exit 4
until [ -e "${PCM_METRICS%/*}/failed.json" ]; do sleep 0.1; done
"""


def test_a_rank_that_failed_first_counts_more_than_rank_0(folder: Folder) -> None:
    grid = "run: {command: [sh, train.sh]}\nresources: {tasks_per_node: 2}\n"
    folder.write(train_sh=FAILS_FIRST, grid_yaml=grid)
    [experiment] = folder.launch()
    assert run([experiment]).statuses[experiment.id].state is State.FAILED
    assert "another rank had failed before" in log(experiment)


def test_those_that_fail_say_how(folder: Folder) -> None:
    folder.write(grid_yaml=FAILING)
    experiments = folder.launch()
    run(experiments)
    reasons = [found.reason for each in experiments if (found := why(each.run_dir)) is not None]
    assert reasons[0] == "ScriptError: sh -c 'echo so it goes; exit 3' ended with exit code 3"
    assert reasons[1].startswith("ScriptError: cannot start 'no-such-program' in ")
    # Of a long command no more than its beginning.
    assert reasons[2].endswith(" ... was killed by SIGKILL")
    assert len(reasons[2]) < 160
    assert reasons[3].endswith("was killed by SIGRTMIN+6")
    assert "ended with exit code 127: sh: " in reasons[4]
    assert "so it goes\n" in log(experiments[0])


SUPERVISED = """\
read -r _ _ _ supervisor _ < /proc/$PPID/stat
tr '\\0' ' ' < /proc/$supervisor/cmdline
"""


def test_supervisors_of_several_are_forked(folder: Folder) -> None:
    grid = "run: {command: [sh, train.sh], params: {}}\ngrid: {seed: [0, 1]}\n"
    folder.write(train_sh=SUPERVISED, grid_yaml=grid)
    experiments = folder.launch()
    statuses = run(experiments).statuses.values()
    assert {each.state for each in statuses} == {State.DONE}
    for each in experiments:
        assert " -m launch.local.forking " in log(each)
        assert "afresh" not in log(each)


def test_in_the_process_of_a_debugging_session(
    folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    grid = "run: {command: [python, -c, 'print(40 + 2)']}\nresources: {tasks_per_node: 1}\n"
    folder.write(grid_yaml=grid)
    [experiment] = folder.launch()
    assert run_debug(experiment).state is State.DONE
    assert "42" in capfd.readouterr().out


def test_its_folder_is_where_the_newest_launch_was_typed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(grid_yaml="run: {command: [sh, -c, 'pwd; exit 1']}\n")
    [experiment] = folder.launch()
    run([experiment])
    other = folder.path / "other"
    other.mkdir()
    (other / "grid.yaml").write_text(Path("grid.yaml").read_text())
    monkeypatch.chdir(other)
    run(folder.launch())
    assert str(other) not in log(experiment)
    assert f"\n{other}\n" in log(experiment, 2)
