"""Somebody who works on a cluster: an unprivileged user with a project and a runs folder."""

import json
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from launch.store import Experiment, Store
from tests.cluster.slurm import SlurmCluster

TESTS = Path(__file__).parents[1]

STAND_IN = shlex.join([sys.executable, str(TESTS / "local" / "stand_in.py")])
"""Value of PCM_PYTHON: keeps to the protocol of a run directory and trains nothing."""

PCM = str(Path(sys.executable).parent / "pcm")

GRID = """\
name: {name}
base: {{model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}}
grid: {{seed: {seeds}}}
resources: {resources}
"""

ACTIVE = "pending,running,completing,configuring,suspended,requeued"
"""States of jobs that are not over."""

RUNS = 'run\'s "é" $HOME;'
"""Name of the runs folder: all that a shell or sbatch could trip over."""

HELD = "sbatch: {hold: ''}\n"
"""A site where jobs wait until somebody lets them go."""


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {condition}"
        time.sleep(0.1)
    return value


@dataclass
class Person:
    """A user of a test cluster, with a project folder and a hostile runs folder.

    Attributes:
        environment: all variables of what they run; tests may change it.
    """

    name: str
    home: Path
    cluster: SlurmCluster
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            "HOME": str(self.home),
            "USER": self.name,
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "COLUMNS": "120",
            "OMP_NUM_THREADS": "1",
            "PCM_PYTHON": STAND_IN,
            "PCM_RUNS_DIR": str(self.root),
            # The stand-in finds the project wherever it runs.
            "PYTHONPATH": str(TESTS.parent),
            **self.cluster.environment,
        }
        shutil.copytree(TESTS.parent / "config", self.project / "config")
        self._hand_over_home()

    @property
    def project(self) -> Path:
        """The working directory."""
        return self.home / "my prøject"

    @property
    def root(self) -> Path:
        """The runs folder."""
        return self.project / RUNS

    @property
    def store(self) -> Store:
        """What is in the runs folder."""
        return Store(self.root)

    def experiments(self) -> list[Experiment]:
        """All of theirs, in the order of their launch."""
        return self.store.experiments()

    def write_grid(self, points: int = 1, name: str = "sweep", **resources: Any) -> str:
        """A grid file of so many seeds; returns its name.

        Args:
            resources: beside or instead of one small rank, which has no GPU.
        """
        asked = {
            "partition": self.cluster.partition,
            **({} if resources.get("gpus_per_node") else {"tasks_per_node": 1}),
            "mem": 200,
            "time": 10,
            **resources,
        }
        text = GRID.format(name=name, seeds=list(range(points)), resources=json.dumps(asked))
        self.write_file(f"{name}.yaml", text)
        return f"{name}.yaml"

    def write_file(self, name: str, text: str, mode: int = 0o644) -> Path:
        """A file of theirs in the project folder."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A shell that still reads the former one must not stumble into this one.
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)
        self._hand_over_home()
        return path

    def start(self, *command: str, **variables: str) -> "subprocess.Popen[str]":
        """Start a command of theirs."""
        return subprocess.Popen(
            command,
            cwd=self.project,
            env=self.environment | variables,
            **self._identity,
            umask=0o022,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def _identity(self) -> dict[str, Any]:
        """As whom to run; as ourselves on a cluster that is not ours."""
        if not self.cluster.is_ours:
            return {}
        owner = pwd.getpwnam(self.name)
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of theirs to its end."""
        process = self.start(*command, **variables)
        try:
            output, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def start_pcm(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """Start `pcm` as they would."""
        return self.start(PCM, *arguments, **variables)

    def pcm(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `pcm` to its end, which must be a good one."""
        done = self.try_pcm(*arguments, **variables)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done

    def try_pcm(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `pcm` to its end, whichever that is."""
        return self.run(PCM, *arguments, **variables)

    def launch(self, grid: str, *flags: str, **variables: str) -> list[Experiment]:
        """Launch a grid file on the tests' partition; returns all experiments of theirs."""
        self.pcm(
            "launch", grid, "--partition", self.cluster.partition, "--yes", *flags, **variables
        )
        return self.experiments()

    def queue(self, states: str = "all") -> list[str]:
        """`JOB_TASK STATE` of each task that Slurm knows of, as `12_3 RUNNING`."""
        columns = "%i %T|%o"
        listing = self.cluster.run("squeue", "-hr", "-u", self.name, "-t", states, "-o", columns)
        rows = (line.partition("|") for line in listing.splitlines())
        # Slurm goes on to list the jobs of tests before this one.
        return [task for task, _, script in rows if str(self.home) in script]

    def wait_for_empty_queue(self, seconds: float = 120.0) -> None:
        """Wait until none of their jobs waits, runs or is being cleaned up."""
        wait_for(lambda: not self.queue(ACTIVE), seconds)

    def processes(self) -> list[psutil.Process]:
        """What runs under their name here: of a user of the tests' own all, else of this test."""
        uid = pwd.getpwnam(self.name).pw_uid
        found = []
        for process in psutil.process_iter():
            try:
                if process.uids().real == uid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found if self.cluster.is_ours else [each for each in found if self._is_of_test(each)]

    def _is_of_test(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("HOME") == str(self.home)
        except psutil.Error:
            return False

    def leave(self) -> None:
        """Cancel all jobs; nothing may be left running a moment later."""
        jobs = {task.partition("_")[0] for task in self.queue(ACTIVE)}
        whose = ["-u", self.name] if self.cluster.is_ours else sorted(jobs)
        if whose:
            self.cluster.run("scancel", *whose, check=False)
        self.wait_for_empty_queue()
        deadline = time.monotonic() + 15
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        commands = [process.cmdline() for process in left]
        for process in left:
            process.kill()
        assert commands == []

    def _hand_over_home(self) -> None:
        owner = pwd.getpwnam(self.name)
        for path in (self.home, *self.home.rglob("*")):
            # What their jobs write comes and goes meanwhile.
            with suppress(FileNotFoundError):
                if path.lstat().st_uid == 0:
                    os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
