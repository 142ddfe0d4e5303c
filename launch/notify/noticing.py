"""What a look at experiments shows that no job of theirs could tell: its node died, or it had no
network. Whoever looks tells it then, in the name of the sweep's owner alone.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from launch.status.looking import Looking
from launch.status.state import Line, State
from launch.store import Experiment, LaunchDir, RunsRoot, launches_of
from launch.telling import Tell
from pcm.errors import PcmError

COMING_BACK_S = 600.0
"""For a job that was to come back: between its end and its requeue it seems to be gone."""

_FAILURES = (State.FAILED, State.LOST)


class Noticing:
    """Tells of first failures and ends in what is looked at again and again.

    Args:
        looking: what looks; while Slurm doesn't answer it, nothing is told.
        tell: called with what could not be sent.
    """

    def __init__(self, looking: Looking, tell: Tell) -> None:
        self._looking = looking
        self._tell = tell
        self._ended = 0

    def look(self, experiments: Sequence[Experiment], lines: Sequence[Line]) -> None:
        """Tell what these lines show, if more has ended than at the last look.

        Args:
            lines: where the experiments stand, in their order.
        """
        counts = Counter(line.status.state for line in lines)
        ended = sum(count for state, count in counts.items() if state.is_ended)
        if ended == self._ended or self._looking.warning is not None:
            return
        self._ended = ended
        for launch in _newest(launches_of(experiments)):
            try:
                if _has_untold(launch):
                    self._look_at(launch, {line.id: line for line in lines})
            except (OSError, PcmError) as error:
                self._tell(f"warning: nobody could be told how {launch.sweep_name} stands: {error}")

    def _look_at(self, launch: LaunchDir, standing: Mapping[str, Line]) -> None:
        # Mostly nobody wants to know, or has been told.
        from launch.notify.message import end_message, failure_message
        from launch.notify.occasions import tell_once
        from launch.store.trust import require_trusted_launch

        experiments = [Experiment(launch, each) for each in launch.point_records()]
        looked_at = [each for each in experiments if each.id in standing]
        failed = [each for each in looked_at if standing[each.id].state in _FAILURES]
        first = next((each for each in failed if _is_over(each)), None)
        if first is not None:
            # The record names a program, perhaps.
            require_trusted_launch(launch)
            message = failure_message(launch, standing[first.id])
            tell_once(launch, "failure", message, self._tell)
        if not all(standing[each.id].state.is_ended for each in looked_at):
            return
        lines = _all_lines(experiments, standing)
        has_ended = all(line.state.is_ended for line in lines)
        if lines and has_ended and all(map(_is_over, experiments)):
            require_trusted_launch(launch)
            message = end_message(launch, lines, experiments)
            tell_once(launch, "end", message, self._tell)


def _all_lines(experiments: Sequence[Experiment], standing: Mapping[str, Line]) -> list[Line]:
    """Where all stand; none where Slurm doesn't say so of those that were not looked at."""
    others, looking = [each for each in experiments if each.id not in standing], Looking()
    all_standing = {**standing, **{line.id: line for line in looking.lines(others)}}
    return [] if looking.warning else [all_standing[each.id] for each in experiments]


def _newest(launches: Iterable[LaunchDir]) -> Iterator[LaunchDir]:
    """The newest launch of each one's sweep."""
    sweeps = {(launch.root, launch.sweep_name) for launch in launches}
    for root, sweep in sorted(sweeps):
        yield RunsRoot(root).launches(sweep)[-1]


def _has_untold(launch: LaunchDir) -> bool:
    """Whether it is one's own, and somebody wants to know of its end and was not told of it."""
    if launch.path.stat().st_uid != os.getuid():
        return False
    record = launch.read_record()
    if not isinstance(record, dict):  # what is damaged is told where it is listed
        return False
    targets = record.get("notify") or []
    return not all(launch.notified("end", target).exists() for target in targets)


def _is_over(experiment: Experiment) -> bool:
    """Whether no supervisor is left that may bring it back, or tell of it itself."""
    from launch.notify.occasions import has_last_word
    from launch.status.facts import attempt_facts

    attempts = experiment.run_dir.attempts()
    if not attempts:
        return True
    newest = attempts[-1]
    facts = attempt_facts(newest)
    if facts.comes_back:
        return time.time() - newest.verdict.stat().st_mtime > COMING_BACK_S
    return has_last_word(newest) or not facts.is_alive
