"""Sending trackers what they have missed: one process a launch, since each may have its image.

A client takes seconds to import, so experiments of a launch share one.
"""

import json
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from launch.container.feeding import by_launch
from launch.container.modules import module_command
from launch.store import Experiment, LaunchDir, RunsRoot
from pcm.errors import ExitCode

_MODULE = "pcm.tracking"


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending one experiment's metrics.

    Attributes:
        is_sent: whether its trackers have all of them.
        text: what was said about it.
    """

    id: str
    is_sent: bool
    text: str


def send_each(experiments: Sequence[Experiment], to: Sequence[str]) -> Iterator[Sent]:
    """Feed the trackers of experiments that have started, launch by launch.

    Raises:
        RefusedError: others could have changed what would run.
    """
    for launch, group in by_launch(experiments).values():
        left = list(group)
        while left:
            with TemporaryFile("w+", errors="replace") as said:
                first = left[0]
                code = yield from _together(launch, left, to, said)
                if code == ExitCode.USAGE and left and left[0] is first:
                    # Its image, or the code that it ships, is older than this way.
                    yield from (_alone(each, to) for each in left)
                    break
                if left:
                    text = f"error: what feeds its trackers ended with exit code {code}"
                    yield Sent(left.pop(0).id, is_sent=False, text=_with_last_line(text, said))


def _together(
    launch: LaunchDir, left: list[Experiment], to: Sequence[str], said: IO[str]
) -> Generator[Sent, None, int]:
    """Take experiments off the list as their answers come; returns the process's exit code."""
    folder = RunsRoot(launch.root).experiments_folder
    options = ["--each", *(f"--to={name}" for name in to)]
    command, variables = module_command(launch, folder, _MODULE, options)
    names = [str(each.run_dir.path.relative_to(folder)) for each in left]
    with subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError), process.stdin as stream:
            stream.write("\n".join(names))
        for line in process.stdout:
            answer = json.loads(line)
            text = "\n".join([*answer["sent"], *answer["errors"]])
            yield Sent(left.pop(0).id, answer["code"] == ExitCode.DONE, text)
    return process.returncode


def _alone(experiment: Experiment, to: Sequence[str]) -> Sent:
    options = [f"--to={name}" for name in to]
    command, variables = module_command(
        experiment.launch, experiment.run_dir.path, _MODULE, options
    )
    done = subprocess.run(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    text = done.stdout.decode(errors="replace").strip()
    return Sent(experiment.id, done.returncode == 0, text)


def _with_last_line(text: str, said: IO[str]) -> str:
    said.seek(0)
    lines = said.read().split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return f"{text}: {last}" if last else text
