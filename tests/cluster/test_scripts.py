"""A script of one's own in Slurm: preempted, sent back, and on where it was."""

import sys

import pytest

from pcm.run_dir import read_journal
from tests.cluster.person import Person
from tests.cluster.running import Running

SCRIPT = """\
import time
import pcm.script as run

start = run.checkpoint()
first = int(start.read_text()) if start else 0
for step in range(first + 1, 101):
    time.sleep(0.1)
    run.log(step, {"loss": 1 / step})
    if run.should_stop():
        if run.rank == 0:
            file = run.run_dir / "new"
            file.write_text(str(step))
            run.save(file, step)
        run.stop()
run.finish({"began": first})
"""

GRID = """\
run: {command: [python, train.py], params: {}}
resources: {tasks_per_node: 2, mem: 200, time: 10}
"""


@pytest.mark.own_cluster
def test_a_script_that_is_preempted_comes_back_and_goes_on(person: Person) -> None:
    person.write_file("train.py", SCRIPT)
    person.write_file("script.yaml", GRID)
    running = Running.start(person, "script.yaml", PCM_PYTHON=sys.executable)
    running.wait_for_steps()
    with running.preempted():
        verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("preempted", True)
    running.wait_for_end(attempt=2)
    rows = read_journal(running.experiment.run_dir.metrics)
    began = rows[-1].values["began"]
    losses = [(row.attempt, row.step) for row in rows if "loss" in row.values]
    assert losses == [(1 if step <= began else 2, step) for step in range(1, 101)]
    assert began >= 3
    running.wait_until_over()
    assert running.state == "COMPLETED"
