"""The processes that feed trackers live: one a launch, since each may have its own image."""

import hashlib
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from launch.container.modules import module_command
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.telling import Tell
from pcm.errors import RefusedError

_PATIENCE_S = 60.0
"""For the rest, before a person is told that it takes long."""

_LEAVING_S = 2.0
"""For a process that is told to end; one that somebody has stopped takes no notice."""


class Feeding:
    """Feeds the trackers of experiments from now on; they tell on the terminal what they send.

    Args:
        experiments: those that have not started yet may start meanwhile.
        to: names of trackers; without, those that each experiment asks for.
        tell: called with what a person who waits wants to know.

    Raises:
        RefusedError: another process does the same, or others could have changed what would run.
    """

    def __init__(self, experiments: Sequence[Experiment], to: Sequence[str], tell: Tell) -> None:
        self._tell = tell
        groups = by_launch(experiments).values()
        self._locks = [_lock_alone(launch, group, to) for launch, group in groups]
        options = ["--watch", *(f"--to={name}" for name in to)]
        self._left = {
            launch.id: _start(launch, [each.run_dir.path for each in group], options)
            for launch, group in groups
        }
        self._is_well = True

    @property
    def is_alive(self) -> bool:
        """Whether any of them still ran at the last look."""
        return bool(self._left)

    def look(self) -> None:
        """Tell of those that have ended by themselves, which none should."""
        for launch, process in list(self._left.items()):
            code = process.poll()
            if code is not None:
                self._take(launch, code)
                self._tell(f"what feeds the trackers of {launch} has ended, by {_how(code)}")
                self._tell("  try: the same command again, which sends what is missing")
                self._is_well = False

    def end(self) -> bool:
        """Let them have a last look at everything.

        Returns:
            Whether everything was sent.
        """
        for process in self._left.values():
            _close(process)
        for launch, process in list(self._left.items()):
            try:
                code = process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._tell("still sending; Ctrl-C leaves the rest to the next pcm sync")
                code = process.wait()
            self._take(launch, code)
        return self._is_well

    def leave(self) -> None:
        """End them at once; what they have not sent stays in the run directories."""
        for process in self._left.values():
            process.terminate()
        for process in self._left.values():
            try:
                process.wait(_LEAVING_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        self._left.clear()
        for lock in self._locks:
            lock.release()

    def _take(self, launch: str, code: int) -> None:
        _close(self._left.pop(launch))
        self._is_well = self._is_well and code == 0


def by_launch(
    experiments: Sequence[Experiment],
) -> Mapping[Path, tuple[LaunchDir, list[Experiment]]]:
    """Experiments with their launch, by its folder."""
    groups: dict[Path, tuple[LaunchDir, list[Experiment]]] = {}
    for each in experiments:
        groups.setdefault(each.launch.path, (each.launch, []))[1].append(each)
    return groups


def _lock_alone(
    launch: LaunchDir, experiments: Sequence[Experiment], to: Sequence[str]
) -> FileLock:
    """Hold what a second one of the same would want; other experiments are another's affair.

    Overlapping ones share the work: each tracker of an experiment has a lock of its own.
    """
    what = "\n".join([*sorted(each.id for each in experiments), "", *sorted(to)])
    lock = FileLock(launch.following(hashlib.sha256(what.encode()).hexdigest()[:8]))
    try:
        with suppress(PermissionError):  # the launch is a colleague's, the run directories shared
            lock.acquire(timeout=0)
    except Timeout:
        raise RefusedError(
            f"another pcm sync --follow feeds {launch.sweep_name} already",
            "leave it to that one, or end it first; pcm sync without --follow sends once",
        ) from None
    return lock


def _start(
    launch: LaunchDir, run_dirs: Sequence[Path], options: Sequence[str]
) -> "subprocess.Popen[str]":
    folder = RunsRoot(launch.root).experiments_folder
    command, variables = module_command(launch, folder, "pcm.tracking", options)
    # Ctrl-C is for us, who then end them; so they have a session of their own.
    process = subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended already, which the next look finds
        process.stdin.writelines(f"{path.relative_to(folder)}\n" for path in run_dirs)
        process.stdin.flush()
    return process


def _close(process: "subprocess.Popen[str]") -> None:
    """Tell it that nothing more comes."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
