"""One start of a real image for many trainings: as good as fresh ones, and gone afterwards."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil

from launch.grid.frames import NO_TRAINER
from launch.store import Experiment, Store
from launch.store.records import read_record
from tests.cluster.person import wait_for
from tests.container.owner import PCM, Owner
from tests.resume.runs import assert_same, newest

OWN = Path(__file__).parent / "own"
SURROUNDINGS = "surroundings: "
AFRESH = "training starts afresh: "


def processes(owner: Owner) -> list[psutil.Process]:
    """All of theirs that run."""
    every = psutil.process_iter(["username", "status"])
    own = (each for each in every if each.info["username"] == owner.name)
    return [each for each in own if each.info["status"] != psutil.STATUS_ZOMBIE]


def nursery(owner: Owner) -> psutil.Process | None:
    """The process that forks: the oldest with its command line, which forked ones have too."""
    every = (each for each in processes(owner) if each.cmdline()[1:3] == ["-m", "pcm.nursery"])
    return min(every, key=lambda each: each.create_time(), default=None)


def write_grid(owner: Owner, image: Path) -> None:
    """Two experiments that differ in nothing that is computed."""
    model = {"class_path": "telling.Telling", "init_args": {"label": "a"}}
    inside = {"binds": [f"{OWN}:/own:ro"], "environment": {"PYTHONPATH": "/own"}}
    grid = {
        "name": "warm",
        "base": {"model": "model.yaml", "data_train": "data.yaml", "trainer": "trainer.yaml"},
        "grid": {"model.init_args.label": ["forked", "fresh"]},
        "container": {"image": str(image), **inside},
        "preload": ["telling"],
    }
    data, trainer = {"class_path": "telling.Data"}, {**NO_TRAINER, "kwargs": {"max_epochs": 1}}
    files = {"model": model, "data": data, "trainer": trainer, "grid": grid}
    for name, content in files.items():
        # JSON is YAML.
        (owner.folder / f"{name}.yaml").write_text(json.dumps(content))


def log(experiment: Experiment) -> str:
    """What its only rank has said so far."""
    file = experiment.run_dir.attempt(1).log(0)
    return file.read_text() if file.exists() else ""


def surroundings(experiment: Experiment) -> dict[str, Any]:
    """What its process was given, without what is its own."""
    [line] = [each for each in log(experiment).splitlines() if each.startswith(SURROUNDINGS)]
    own = f"{experiment.id[:2]}/{experiment.id}"
    text = line.removeprefix(SURROUNDINGS).replace(own, "ID").replace(experiment.id, "ID")
    found: dict[str, Any] = json.loads(text)
    # One sees its own run directory, the other one all; and matplotlib draws a name by lot.
    for name in ("APPTAINER_BIND", "SINGULARITY_BIND", "MPLCONFIGDIR"):
        found["environment"].pop(name)
    return found


def test_forked_inside_it_is_what_a_fresh_one_is_and_outlives_the_nursery(
    owner: Owner, torch_image: Path
) -> None:
    write_grid(owner, torch_image)
    launcher = owner.start(
        *(PCM, "launch", "grid.yaml", "--executor", "local", "--yes", "--max-parallel", "1"),
        PCM_WARM="1",
    )
    forked, fresh = wait_for(Store(owner.folder / "runs").experiments, 60)
    wait_for(lambda: SURROUNDINGS in log(forked), 120)
    [found] = filter(None, [nursery(owner)])
    os.kill(found.pid, signal.SIGKILL)
    output, errors = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, output + errors + log(forked) + log(fresh)
    assert AFRESH not in log(forked)
    assert f"{AFRESH}the process that forks has ended" in log(fresh)
    assert surroundings(forked) == surroundings(fresh)
    left, right = newest(forked.run_dir), newest(fresh.run_dir)
    for part in ("state_dict", "optimizer_states"):
        assert_same(left[part], right[part], part)
    assert_same(left["pcm"]["ranks"], right["pcm"]["ranks"], "ranks")
    assert read_record(forked.run_dir.attempt(1).outcome(0))["exit_code"] == 0
    assert read_record(forked.run_dir.attempt(1).outcome(0))["largest_process_mb"] > 100
    wait_for(lambda: not processes(owner), 30)
