"""The launcher's end of a nursery in an image: one start of the image for all that train in it.

It forks ranks only, for supervisors that are outside, see `launch.supervisor.fostered`.
"""

import json
import os
import select
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from launch.container.staging import staged
from launch.local.nursery import END_S, LOADING_S
from launch.machine.activity import STOPPED
from launch.machine.processes import Process, kill_tree, stat_fields, tree_stat_fields
from launch.machine.signals import PERSON, held_back
from launch.store import LaunchDir, RunsRoot
from launch.store.trust import require_trusted_launch
from launch.supervisor.forked import ColdError
from launch.supervisor.node_container import (
    inside_environment,
    nursery_command,
    nursery_container,
    require_on_node,
)
from launch.supervisor.training_environment import shared_environment
from pcm import __version__
from pcm.errors import RefusedError
from pcm.run_dir.trust import make_shared_folder


class InsideNursery:
    """Loads what training needs in the image of a launch.

    Args:
        threads: that most training processes are to have.
        preload: a user's own modules, loaded once as well.
        is_given_up: asked while the image is copied to this node.
    """

    def __init__(
        self,
        launch: LaunchDir,
        threads: int,
        preload: Sequence[str],
        is_given_up: Callable[[], bool],
    ) -> None:
        self._launch = launch
        self._name = f"pcm-{uuid.uuid4().hex}"
        self._cold: str | None = None
        self._forking: Process | None = None
        self._deadline = time.monotonic() + LOADING_S
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the program runs
        self._popen: subprocess.Popen[bytes] | None = None
        try:
            require_trusted_launch(launch)
            self._popen = self._start(threads, preload, is_given_up)
        except (RefusedError, OSError) as error:
            # Supervisors tell the same, each of its own experiment.
            self._cold = str(error)

    def is_loading(self) -> bool:
        """Whether it is worth waiting for: it can't fork yet, but may soon."""
        if self._cold is None and self._forking is None:
            if self._has_answered():
                self._greet()
            elif time.monotonic() > self._deadline:
                self._give_up(f"libraries were not loaded after {LOADING_S:.0f} s")
            elif self._is_stopped():
                self._give_up("a signal has stopped the image, or what loads in it")
        return self._cold is None and self._forking is None

    def name(self) -> str:
        """The name of its socket, for the supervisors of experiments that train there.

        Raises:
            ColdError: that can't be, or must not be.
        """
        self._look_after()
        if self._cold is not None:
            raise ColdError(self._cold)
        return self._name

    def close(self) -> None:
        """End it, and the image once what it has forked has ended."""
        if self._popen is None:
            return
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        try:
            self._popen.wait(END_S)
        except subprocess.TimeoutExpired:
            kill_tree(self._popen.pid)
            self._popen.wait()

    def _start(
        self, threads: int, preload: Sequence[str], is_given_up: Callable[[], bool]
    ) -> "subprocess.Popen[bytes]":
        container = nursery_container(self._launch)
        assert container is not None
        folder = RunsRoot(self._launch.root).experiments_folder
        make_shared_folder(folder)
        require_on_node(container)
        container = staged(container, lambda _: None, is_given_up)
        # A session of its own, and deaf: the launcher alone decides what a signal means.
        with held_back(PERSON):
            return subprocess.Popen(
                nursery_command(container, folder, [self._name, *preload]),
                env=inside_environment(container, shared_environment(os.environ, threads)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )

    def _has_answered(self) -> bool:
        assert self._popen is not None
        assert self._popen.stdout is not None
        return bool(select.select([self._popen.stdout], [], [], 0.0)[0])

    def _is_stopped(self) -> bool:
        """Whether a signal has stopped the image's own process, or one below it."""
        assert self._popen is not None
        found = tree_stat_fields(Process.of(self._popen.pid)) or {}
        return any(fields[0] in STOPPED for fields in found.values())

    def _greet(self) -> None:
        assert self._popen is not None
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        try:
            hello: dict[str, Any] = json.loads(line)
            process = Process.of(int(hello["pid"]))
        except (ValueError, TypeError, KeyError):
            # Nothing, or what the image says to whoever enters it.
            self._give_up(f"the image forks nothing: {self._last_words() or repr(line)}")
            return
        if hello["cold"] is not None:
            self._give_up(hello["cold"])
        elif hello["version"] != __version__:
            self._give_up(f"the image has pcm {hello['version']}, and this is {__version__}")
        elif process.started != hello["started"]:
            self._give_up("the image has processes of its own numbers")
        else:
            self._forking = process

    def _look_after(self) -> None:
        """Give it up where it is dead, or where a signal has stopped it."""
        if self._cold is not None or self._forking is None:
            return
        fields = stat_fields(self._forking.pid)
        if fields is None or not self._forking.is_alive:
            self._give_up("the process that forks has ended")
        elif fields[0] in STOPPED:
            self._give_up("a signal has stopped the process that forks")

    def _give_up(self, why: str) -> None:
        """What it has forked goes on, and so does the image."""
        self._cold = why
        assert self._popen is not None
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
