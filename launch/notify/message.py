"""What a message says: counts, what failed first, the best point, where to look."""

import math
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from launch.status.state import Line, State
from launch.store import Experiment, LaunchDir
from launch.text import counted
from pcm.printable import printable_line
from pcm.run_dir.checkpointing import Mode, read_checkpointing
from pcm.run_dir.summary import read_summary


@dataclass(frozen=True, slots=True)
class Message:
    """A subject and a few lines, the first of which says the same."""

    subject: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, for what knows no subject."""
        return "\n".join((self.subject, "", *self.lines)) + "\n"


def failure_message(launch: LaunchDir, line: Line) -> Message:
    """For the first experiment of a sweep that fails."""
    reason = printable_line(f"{line.id} {line.name}: {line.status.detail}")
    subject = f"pcm: an experiment of {launch.sweep_name} has failed"
    return Message(subject, (reason, *_what_next(launch, "why", "status")))


def end_message(
    launch: LaunchDir, lines: Sequence[Line], experiments: Sequence[Experiment]
) -> Message:
    """For a sweep of which nothing runs or waits any more."""
    counts = Counter(line.state for line in lines)
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    summary = f"{counted(len(lines), 'experiment')}: {told}"
    best = _best(experiments)
    return Message(
        f"pcm: {launch.sweep_name} has ended: {told}",
        (summary, *([] if best is None else [best]), *_what_next(launch, "status", "report")),
    )


def _what_next(launch: LaunchDir, *commands: str) -> Iterable[str]:
    """What to type, wherever one is; `pcm report` writes the page and says where."""
    words = shlex.join([launch.sweep_name, "--runs-dir", str(launch.root)])
    return (f"pcm {command} {words}" for command in commands)


def _best(experiments: Sequence[Experiment]) -> str | None:
    """The point whose monitored metric is the best; None where no point has it."""
    values = [found for each in experiments if (found := _monitored(each)) is not None]
    if not values:
        return None
    _, text = min(values, key=lambda item: item[0])
    return f"best: {printable_line(text)}"


def _monitored(experiment: Experiment) -> tuple[float, str] | None:
    """What the best is looked for by, the least first, and how it is told."""
    if not experiment.run_dir.summary.exists():
        return None
    summary, wanted = read_summary(experiment.run_dir), read_checkpointing(experiment.run_dir)
    metrics = {} if summary is None else summary.metrics
    name = next((each for each in wanted.monitored if each in metrics), None)
    if name is None:
        return None
    is_least = wanted.mode is Mode.MIN
    value = metrics[name].least if is_least else metrics[name].greatest
    if value is None or not math.isfinite(value):
        return None
    text = f"{experiment.id} {experiment.name}, {name} {value:.6g}"
    return (value if is_least else -value), text
