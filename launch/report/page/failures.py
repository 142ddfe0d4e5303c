"""What failed, put together by its cause."""

from collections.abc import Sequence
from typing import Any

from launch.report.causes import cause
from launch.status.state import Line, State
from launch.status.why import why
from launch.store import Experiment

_BAD = (State.FAILED, State.LOST)


def failure_groups(
    experiments: Sequence[Experiment], lines: Sequence[Line]
) -> list[dict[str, Any]]:
    """A record a cause, the most frequent first, each with its first traceback."""
    groups: dict[str, dict[str, Any]] = {}
    for index, (experiment, line) in enumerate(zip(experiments, lines, strict=True)):
        if line.state not in _BAD:
            continue
        said, text = _said(experiment, line)
        group = groups.setdefault(cause(said), {"cause": said, "text": text, "runs": []})
        group["runs"].append(index)
    return sorted(groups.values(), key=lambda group: -len(group["runs"]))


def _said(experiment: Experiment, line: Line) -> tuple[str, str]:
    """One line, and the end of a traceback or log."""
    found = why(experiment.run_dir) if line.state is State.FAILED else None
    if found is None:
        return line.status.detail or str(line.state), ""
    return found.reason, found.text
