"""A script of one's own inside a real image, whose folder it sees."""

import json
import sys
from pathlib import Path

import filelock
import yaml

from pcm.run_dir import read_journal
from tests.cluster.person import Person
from tests.container.inside import IMAGE, run_here

SCRIPT = """\
import os, sys
import pcm.script as run
from beside import VALUE

print("working in", os.getcwd(), sys.argv[1:], os.environ["MASTER_PORT"].isdecimal())
run.log(1, {"value": VALUE + run.rank})
open("made here", "w").close()
run.finish({"lr": run.params["lr"]})
"""

PYTHON = """\
#!/bin/sh
export PYTHONPATH="$PYTHONPATH${{PYTHONPATH:+:}}/opt/code:/opt/more"
exec {python} "$@"
"""
"""The image's own has a stand-in for training, and is without what reads a config."""


def test_it_runs_in_the_folder_of_its_launch(inside: Person) -> None:
    inside.write_file("train.py", SCRIPT)
    inside.write_file("beside.py", "VALUE = 41")
    python = PYTHON.format(python=Path(sys.executable).resolve())
    wrapper = inside.write_file("inside python", python, mode=0o755)
    more = [Path(module.__file__ or "").parent for module in (yaml, filelock)]
    # The folder of the launch is bound anyway, and Apptainer warns of what is bound twice.
    binds = [str(inside.project), f"{wrapper}:/usr/local/bin/python"]
    binds += [f"{folder}:/opt/more/{folder.name}" for folder in more]
    grid = {
        "run": {"command": ["python", "train.py", "{lr}"], "params": {"lr": 0.5}},
        "resources": {"tasks_per_node": 2},
        "container": {"image": IMAGE, "binds": binds},
    }
    inside.write_file("grid.yaml", json.dumps(grid))
    [experiment] = run_here(inside, "grid.yaml")
    log = experiment.run_dir.attempt(1).log(0).read_text()
    assert f"working in {inside.project} ['0.5'] True" in log
    assert "mount point" not in log
    assert (inside.project / "made here").exists()
    values = [row.values for row in read_journal(experiment.run_dir.metrics)]
    assert values == [{"value": 41.0}, {"lr": 0.5}]
