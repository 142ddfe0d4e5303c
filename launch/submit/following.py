"""Following what was handed to Slurm, and handing over what was not."""

import time
from collections.abc import Callable, Sequence

from launch.notify.noticing import Noticing
from launch.status.looking import Looking
from launch.status.state import Line
from launch.store import Store
from launch.submit.completion import Completion
from launch.submit.launches import Launched, submit_rest
from launch.submit.returns import Returns
from launch.telling import Tell
from pcm.errors import RefusedError

INTERVAL_S = 2.0
"""Between two looks at the files."""

QUEUE_INTERVAL_S = 20.0
"""Between two questions to Slurm: who waits for hours needn't know at once."""

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 300.0
"""Before what Slurm had no room for is handed over again."""


def follow(
    launched: Launched,
    store: Store,
    site: str | None,
    show: Callable[[Sequence[Line]], None],
    tell: Tell,
) -> Completion:
    """Wait until all experiments have ended; Ctrl-C ends the waiting alone.

    What Slurm had no room for is handed over as room appears, and what could not be sent back
    is handed over again.

    Args:
        site: a site's name or file.
        show: called every few seconds with all of them as they stand.
    """
    experiments = launched.experiments
    looking, waves = Looking(tell, QUEUE_INTERVAL_S), _Waves(launched, store, site, tell)
    noticing = Noticing(looking, tell)
    returns = Returns(experiments, store, site, tell)
    lines = looking.lines(experiments)

    def is_over() -> bool:
        has_ended = all(line.state.is_ended for line in lines)
        return has_ended and not waves.are_left and not returns.are_due(lines)

    try:
        while not is_over():
            show(lines)
            time.sleep(INTERVAL_S)
            if returns.go_on(lines):
                looking.forget()
                waves.are_left = waves.are_left or returns.has_no_room
            if waves.go_on(lines):
                looking.forget()
            lines = looking.lines(experiments)
            if is_over():
                # What Slurm said a while ago must not decide.
                looking.forget()
                lines = looking.lines(experiments)
            noticing.look(experiments, lines)
        show(lines)
        is_interrupted = False
    except KeyboardInterrupt:
        is_interrupted = True
    return Completion({line.id: line.status for line in lines}, is_interrupted)


class _Waves:
    """Hands over what Slurm had no room for, again and again, with growing pauses.

    An experiment that ends makes room: then the pauses are short again.

    Attributes:
        are_left: whether Slurm hasn't got all experiments yet.
    """

    def __init__(self, launched: Launched, store: Store, site: str | None, tell: Tell) -> None:
        self._launched = launched
        self._store = store
        self._site = site
        self._tell = tell
        self.are_left = launched.no_room is not None
        self._ended = 0
        self._trouble = ""
        self._pause_s = SHORTEST_PAUSE_S
        self._tried = time.monotonic()

    def go_on(self, lines: Sequence[Line]) -> bool:
        """Hand over what there is room for, if it is time to try.

        Returns:
            Whether there may be more in the queue than before.
        """
        if not self.are_left:
            return False
        ended = sum(line.state.is_ended for line in lines)
        if ended > self._ended:
            self._ended, self._pause_s = ended, SHORTEST_PAUSE_S
        if time.monotonic() < self._tried + self._pause_s:
            return False
        self.are_left = not self._submit()
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._tried = time.monotonic()
        return True

    def _submit(self) -> bool:
        """Whether nothing is left; a Slurm that is down for a while ends nothing."""
        try:
            no_room = submit_rest(self._launched.experiments, self._store, self._site, self._tell)
        except RefusedError as error:
            if error.message != self._trouble:
                self._tell(f"warning: the rest is not submitted yet: {error.message}")
            self._trouble = error.message
            return False
        return no_room is None
