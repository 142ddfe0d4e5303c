"""A process that has loaded what training needs and forks the processes of this launcher's jobs.

Loading torch and Lightning takes seconds of CPU, forking a process that has them a hundredth.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.container.python import PYTHON_VARIABLE
from launch.machine.activity import STOPPED
from launch.machine.processes import Process, kill_group, kill_tree, stat_fields
from launch.machine.signals import PERSON, held_back
from launch.store import Experiment, LaunchDir
from launch.submit.local_job import remove_files
from launch.supervisor.forked import ColdError
from launch.supervisor.job import LOCAL_VARIABLE
from launch.supervisor.training_environment import shared_environment
from pcm.config.structures.run_command import RUN
from pcm.run_dir.trust import make_folder

SWITCH = "PCM_WARM"
"""Environment variable: 0 starts each training process afresh."""

LOADING_S = 300.0
"""For what training needs to be loaded, on a slow and busy file system."""

ANSWER_S = 15.0
"""For a fork, which takes a hundredth of a second."""

END_S = 5.0


def is_wanted(experiments: Sequence[Experiment], environment: Mapping[str, str]) -> bool:
    """Whether the processes of these experiments may be forked, and there are several."""
    processes = sum(each.world_size for each in experiments)
    may_be = environment.get(SWITCH, "1") not in ("", "0") and sys.platform == "linux"
    return may_be and processes > 1


def is_of_use(experiments: Sequence[Experiment], environment: Mapping[str, str]) -> bool:
    """Whether some of them train with the libraries of this very interpreter."""
    is_able = is_wanted(experiments, environment) and not environment.get(PYTHON_VARIABLE)
    return is_able and any(map(trains_here, experiments))


def trains_here(experiment: Experiment) -> bool:
    """Whether it trains with the code and libraries that are here."""
    launch = experiment.launch.record
    is_elsewhere = launch.get("container") is not None or launch.get("ships_code")
    return not is_elsewhere and not is_script(experiment)


def is_script(experiment: Experiment) -> bool:
    """Whether a program of the user's own trains, which has libraries of its own."""
    return RUN in experiment.record.get("base", {})


@dataclass(frozen=True)
class ForkedJob:
    """All ranks of one experiment: forked supervisors, each with its training process."""

    key: str
    launch: LaunchDir
    supervisors: tuple[Process, ...]

    @property
    def pids(self) -> list[int]:
        """Of the supervisors that have not ended."""
        return [each.pid for each in self.supervisors if each.is_alive]

    @property
    def is_over(self) -> bool:
        """Whether all supervisors have ended."""
        return not any(each.is_alive for each in self.supervisors)

    def kill(self) -> None:
        """SIGKILL the supervisors and everything below them."""
        for each in self.supervisors:
            if each.is_alive:
                kill_tree(each.pid)

    def remove_files(self) -> None:
        """Remove what the supervisors have printed; the run directory has all there is to know."""
        remove_files(self.launch, self.key)


class Nursery:
    """The launcher's end of it.

    Args:
        threads: that most training processes are to have.
        preload: a user's own modules, loaded once as well.
        is_for_training: whether it loads what training needs, or forks supervisors only.
    """

    def __init__(
        self, threads: int, preload: Sequence[str] = (), *, is_for_training: bool = True
    ) -> None:
        self._channel, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "launch.local.forking", str(its.fileno())]
        command += [str(os.getpid()), str(int(is_for_training)), *preload]
        self._cold: str | None = None
        self._is_ready = False
        self._deadline = time.monotonic() + LOADING_S
        # A session of its own, and deaf: the launcher alone decides what a signal means.
        with its, held_back(PERSON):
            self._popen = subprocess.Popen(
                command,
                env=shared_environment(os.environ, threads),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        self._process = Process.of(self._popen.pid)

    def is_loading(self) -> bool:
        """Whether it is worth waiting for: it can't fork yet, but may soon."""
        if self._cold is None and not self._is_ready:
            if self._has_answered(0.0):
                self._greet()
            elif time.monotonic() > self._deadline:
                self._give_up(f"libraries were not loaded after {LOADING_S:.0f} s")
            else:
                self._look_after()
        return self._cold is None and not self._is_ready

    def fork(
        self, experiment: Experiment, key: str, job_text: str, *, is_training: bool = True
    ) -> ForkedJob:
        """Start all ranks of one experiment.

        Args:
            job_text: as for `submit_local`.
            is_training: whether their training processes are forked too; else each supervisor
                sees to its own.

        Raises:
            ColdError: that can't be, or must not be.
            OSError: there is no room for the folder of the job.
        """
        if is_training and not trains_here(experiment):
            raise ColdError("it runs other code than its launcher")
        self._require_ready()
        folder = experiment.launch.local_job(key)
        make_folder(experiment.launch.jobs, exist_ok=True)
        folder.mkdir(mode=0o700)
        request = {
            "launch": str(experiment.launch.path),
            "experiment": experiment.id,
            "ranks": experiment.world_size,
            "is_training": is_training,
            "id": key,
            "folder": str(folder),
            "environment": {**os.environ, LOCAL_VARIABLE: job_text},
        }
        try:
            return ForkedJob(key, experiment.launch, self._ask(request))
        except ColdError:
            remove_files(experiment.launch, key)
            raise

    def close(self) -> None:
        """End it, and what modules have started as they were loaded; what it has forked goes on."""
        self._channel.close()
        if not self._is_ready:
            self._popen.kill()
        try:
            self._popen.wait(END_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        kill_group(self._process)

    def _require_ready(self) -> None:
        if self._cold is None:
            self._look_after()
        if self._cold is not None:
            raise ColdError(self._cold)

    def _ask(self, request: dict[str, Any]) -> tuple[Process, ...]:
        go, its = socket.socketpair()
        with go:
            try:
                with its:
                    socket.send_fds(self._channel, [json.dumps(request).encode()], [its.fileno()])
                answer = self._answer(ANSWER_S)
            except OSError as error:
                answer = {"cold": str(error)}
            if answer is None:
                self._look_after()
                # Those that were forked nevertheless see that nobody waits for them any more.
                if self._cold is None:
                    self._give_up(f"the process that forks gave no answer in {ANSWER_S:.0f} s")
                raise ColdError(self._cold)
            if answer["cold"] is not None:
                raise ColdError(answer["cold"])
            supervisors = tuple(Process.of(pid) for pid in answer["pids"])
            go.sendall(b"+" * len(supervisors))
        return supervisors

    def _greet(self) -> None:
        answer = self._answer(0.0)
        self._cold = "the process that forks has ended" if answer is None else answer["cold"]
        self._is_ready = self._cold is None

    def _answer(self, patience_s: float) -> dict[str, Any] | None:
        if not self._has_answered(patience_s):
            return None
        text = self._channel.recv(1 << 16)
        answer: dict[str, Any] | None = json.loads(text) if text else None
        return answer

    def _has_answered(self, patience_s: float) -> bool:
        return bool(select.select([self._channel], [], [], patience_s)[0])

    def _look_after(self) -> None:
        """Give it up where it is dead, or where a signal has stopped it."""
        fields = stat_fields(self._popen.pid)
        if self._popen.poll() is not None or fields is None:
            self._give_up("the process that forks has ended")
        elif fields[0] in STOPPED:
            self._give_up("a signal has stopped the process that forks")

    def _give_up(self, why: str) -> None:
        self._cold = why
        self._popen.kill()
