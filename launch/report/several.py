"""Answering for one experiment or for many: of many, those that need attention first."""

from collections.abc import Callable, Sequence
from typing import Any

from launch.report.status import by_interest
from launch.report.terminal import note, print_json, say
from launch.status.state import Line
from launch.store import Experiment

SHOWN = 20
"""So many are told of at once."""


def answer_for_each(
    experiments: Sequence[Experiment],
    lines: Sequence[Line],
    answer: Callable[[Experiment, Line], None],
) -> None:
    """Print an answer for each, with an empty line between.

    Args:
        lines: where the experiments stand.
    """
    by_id = {each.id: each for each in experiments}
    for index, line in enumerate(by_interest(lines)[:SHOWN]):
        if index:
            say("")
        answer(by_id[line.id], line)
    if len(lines) > SHOWN:
        note(f"{len(lines) - SHOWN:,} more; name one of them, see `pcm status --all`")


def print_records(records: Sequence[dict[str, Any]], *, is_one: bool) -> None:
    """Print a record, or a list of them where a sweep was asked for."""
    print_json(records[0] if is_one else list(records))
