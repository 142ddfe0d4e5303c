"""An experiment in a real Slurm, and what befalls it there."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from launch.slurm.controller import parse_job
from launch.store import Experiment
from launch.store.records import read_record
from pcm.run_dir import AttemptDir
from tests.cluster.person import Person, wait_for

PATIENCE_S = 240.0
"""Four ranks that import torch on a busy machine take their time."""

LONG = {"STAND_IN_STEPS": "4000"}
"""Variables of a training that doesn't end before something happens to it."""


@dataclass
class Running:
    """One experiment of a person.

    Attributes:
        task: Slurm's id of it.
        hurried: after which restarts it was hurried on.
    """

    person: Person
    experiment: Experiment
    task: str
    hurried: set[int] = field(default_factory=set)

    @classmethod
    def launch(
        cls, person: Person, resources: Any = None, *flags: str, **variables: str
    ) -> "Running":
        """Launch a small experiment on the preemptable partition."""
        return cls.start(person, person.write_grid(1, **(resources or {})), *flags, **variables)

    @classmethod
    def start(cls, person: Person, grid: str, *flags: str, **variables: str) -> "Running":
        """Launch a grid file of one experiment on the preemptable partition."""
        [experiment] = person.launch(grid, *flags, **variables)
        [task] = person.queue("pending,running")
        return cls(person, experiment, task.partition(" ")[0])

    def attempt(self, number: int) -> AttemptDir:
        """Its files; the attempt may be to come."""
        return self.experiment.run_dir.attempt(number)

    def wait_for_steps(self, attempt: int = 1, steps: int = 3) -> None:
        """Wait until an attempt trains; a job that was sent back needn't wait out its pause."""

        def trains() -> bool:
            self.hurry()
            step = read_record(self.attempt(attempt).progress).get("step") or 0
            return bool(step >= steps)

        wait_for(trains, PATIENCE_S)

    def wait_for_end(self, attempt: int) -> None:
        """Wait until an attempt has finished."""

        def is_done() -> bool:
            self.hurry()
            return self.attempt(attempt).finished.exists()

        wait_for(is_done, PATIENCE_S)

    def wait_for_verdict(self, attempt: int = 1) -> dict[str, Any]:
        """What was decided about the job at an attempt's end."""

        def verdict() -> dict[str, Any]:
            self.hurry()
            assert not self.attempt(attempt).finished.exists(), "it finished before it was stopped"
            return read_record(self.attempt(attempt).verdict)

        decided: dict[str, Any] = wait_for(verdict, PATIENCE_S)
        return decided

    def hurry(self) -> None:
        """Let a job that was sent back start soon: Slurm lets it wait for two minutes.

        Not at once: a node refuses a job that it has been told to kill in the same second.
        """
        cluster = self.person.cluster
        text = cluster.run("scontrol", "show", "job", "-o", self.task, check=False)
        facts = parse_job(text)
        if facts is None or facts.reason != "BeginTime" or facts.restarts in self.hurried:
            return
        self.hurried.add(facts.restarts)
        cluster.run("scontrol", "update", f"JobId={self.task}", "StartTime=now+2", check=False)

    @property
    def state(self) -> str:
        """Slurm's word for it; "" if Slurm has forgotten it."""
        states = dict(line.split() for line in self.person.queue())
        return states.get(self.task, "")

    @contextmanager
    def preempted(self) -> Iterator[None]:
        """Another job wants its nodes until the block ends."""
        cluster = self.person.cluster
        nodes = cluster.run("squeue", "-h", "-j", self.task, "-o", "%N").strip()
        urgent = self.person.run(
            *("sbatch", "--parsable", "--partition=urgent", f"--nodelist={nodes}", "--exclusive"),
            *("--output=/dev/null", "--time=5", "--mem=100", "--wrap=sleep 300"),
        )
        assert urgent.returncode == 0, urgent.stderr
        yield
        cluster.run("scancel", urgent.stdout.strip())

    @contextmanager
    def dead_node(self, *, are_processes_alive: bool = False) -> Iterator[None]:
        """Its first node doesn't answer until the block ends.

        Args:
            are_processes_alive: whether only Slurm's daemon there is dead.
        """
        cluster = self.person.cluster
        node = cluster.run("squeue", "-h", "-j", self.task, "-o", "%B").strip()
        cluster.kill(node)
        if not are_processes_alive:
            cluster.kill_steps()
            for process in self.person.processes():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        try:
            # Slurm would notice by itself after SlurmdTimeout.
            cluster.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
            yield
        finally:
            cluster.revive_node(node)

    def pid(self, attempt: int, rank: int, key: str = "pid") -> int:
        """A rank's supervisor, or its training process for `child_pid`."""
        files = self.attempt(attempt)
        # Rank 0 may have made steps before the supervisor of another one has written.
        record = wait_for(lambda: read_record(files.supervisor(rank)))
        return int(record[key])

    def kill(
        self,
        attempt: int,
        rank: int,
        key: str = "pid",
        number: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Send a signal to one of its processes."""
        os.kill(self.pid(attempt, rank, key), number)

    def is_over(self) -> bool:
        """Whether nothing of it is in the queue, nor among the person's processes."""
        return self.state in ENDED and not self.person.processes()

    def wait_until_over(self, seconds: float = 60.0) -> None:
        """Wait until nothing of it is left."""
        wait_for(self.is_over, seconds)


ENDED = {"", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
