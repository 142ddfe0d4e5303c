"""The processes that feed trackers live: one a launch, since each may have its own image."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from launch.container.modules import module_command
from launch.store import Experiment, LaunchDir, RunsRoot

_PATIENCE_S = 60.0
"""For the rest, once they were told that nothing more comes."""


class Feeding:
    """Feeds the trackers of experiments from now on; they tell on the terminal what they send.

    Args:
        experiments: those that have not started yet may start meanwhile.
        to: names of trackers; without, those that each experiment asks for.

    Raises:
        RefusedError: others could have changed what would run.
    """

    def __init__(self, experiments: Sequence[Experiment], to: Sequence[str]) -> None:
        options = ["--watch", *(f"--to={name}" for name in to)]
        self._processes = [
            _start(launch, [each.run_dir.path for each in group], options)
            for launch, group in by_launch(experiments).values()
        ]

    @property
    def is_alive(self) -> bool:
        """Whether any of them still runs."""
        return any(process.poll() is None for process in self._processes)

    def end(self) -> bool:
        """Let them have a last look at everything.

        Returns:
            Whether everything was sent.
        """
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        endings = [_is_well_ended(process) for process in self._processes]
        return all(endings)


def by_launch(
    experiments: Sequence[Experiment],
) -> Mapping[Path, tuple[LaunchDir, list[Experiment]]]:
    """Experiments with their launch, by its folder."""
    groups: dict[Path, tuple[LaunchDir, list[Experiment]]] = {}
    for each in experiments:
        groups.setdefault(each.launch.path, (each.launch, []))[1].append(each)
    return groups


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
    process.stdin.writelines(f"{path.relative_to(folder)}\n" for path in run_dirs)
    process.stdin.flush()
    return process


def _is_well_ended(process: "subprocess.Popen[str]") -> bool:
    try:
        return process.wait(_PATIENCE_S) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
