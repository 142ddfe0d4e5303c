"""What is not done when a command ends that waited for experiments, and how to go on."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from launch.status.state import State
from launch.store import Experiment
from launch.submit.completion import Completion
from pcm.errors import ExitCode

BROKEN = (State.FAILED, State.LOST)

SHOWN = 4
"""So many are named; of more, their sweeps."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the command ends.

    Attributes:
        lines: for the person who waited.
    """

    lines: tuple[str, ...]
    exit_code: ExitCode


def ending_of(completion: Completion, experiments: Sequence[Experiment]) -> Ending:
    """What to say of experiments that were waited for, and the exit code that it comes to."""
    lines = [f"not started: {message}" for message in completion.refused.values()]
    statuses = completion.statuses
    ours = [each for each in experiments if each.id not in completion.refused]
    unfinished = [each for each in ours if statuses[each.id].state is not State.DONE]
    if not unfinished:
        return Ending(tuple(lines), ExitCode.REFUSED if completion.refused else ExitCode.DONE)
    broken = [each for each in unfinished if statuses[each.id].state in BROKEN]
    for each in broken:
        status = statuses[each.id]
        lines.append(f"{each.id} {status.state}: {status.detail}; pcm logs {each.id}")
    lines.append(f"{len(unfinished)} not done; to go on: pcm resume {_words(unfinished)}")
    # What somebody else cancelled was interrupted too.
    failed = broken and not completion.is_interrupted
    return Ending(tuple(lines), ExitCode.EXPERIMENT_FAILED if failed else ExitCode.INTERRUPTED)


def _words(unfinished: Sequence[Experiment]) -> str:
    if len(unfinished) <= SHOWN:
        return " ".join(each.id for each in unfinished)
    return shlex.join(sorted({each.sweep for each in unfinished}))
