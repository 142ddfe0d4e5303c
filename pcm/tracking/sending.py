"""Sending trackers what they have missed, once, and saying what came of it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pcm.errors import ExitCode, PcmError, RefusedError
from pcm.run_dir import RunDir
from pcm.tracking.follow import sync_trackers
from pcm.tracking.reasons import reason_of


@dataclass(slots=True)
class Answer:
    """What came of one experiment.

    Attributes:
        code: 0 where all of its trackers have everything.
        sent: a line for each tracker that has.
        errors: a line for each that hasn't.
    """

    code: int = ExitCode.DONE
    sent: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def send(run_dir: RunDir, to: Sequence[str]) -> Answer:
    """Bring an experiment's tracker runs up to date.

    Args:
        to: names of trackers; without, those that the experiment asks for.
    """
    answer = Answer()
    try:
        results = sync_trackers(run_dir, to)
    except PcmError as error:
        return Answer(error.exit_code, errors=[f"error: {error}"])
    for name, result in results.items():
        which = f"{name}: " if len(results) > 1 else ""
        if isinstance(result, RefusedError):
            answer.errors.append(f"error: {which}{result}")
            answer.code = result.exit_code
        else:
            answer.sent.append(f"{which}sent {result} points")
    return answer


def send_each(
    folder: Path, names: Iterable[str], to: Sequence[str], tell: Callable[[str], None]
) -> None:
    """The same of several experiments, one after the other, whatever becomes of each.

    Args:
        folder: that the names of run directories start from.
        tell: called with each one's answer as a line of JSON.
    """
    for name in names:
        try:
            answer = send(RunDir(folder / name), to)
        except Exception as error:
            answer = Answer(ExitCode.REFUSED, errors=[f"error: {reason_of(error)}"])
        tell(json.dumps(asdict(answer)))
