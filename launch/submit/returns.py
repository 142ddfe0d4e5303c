"""What was to come back and couldn't be sent back, while somebody waits for its end."""

import time
from collections import Counter
from collections.abc import Sequence

from launch.status.facts import attempt_facts
from launch.status.state import Line
from launch.store import Experiment, Store
from launch.store.records import newest_attempt
from launch.submit.launches import OWED, submit_owed
from launch.telling import Tell
from pcm.errors import RefusedError

MOST = 5
"""So often one attempt is followed by a try to hand its experiment over again."""

PAUSE_S = 30.0
"""Between two tries, and so long at the least a controller may take to restart."""


class Returns:
    """Hands over again, as the next launch would.

    Attributes:
        has_no_room: whether Slurm had no room for all of them at the last try.
    """

    def __init__(
        self, experiments: Sequence[Experiment], store: Store, site: str | None, tell: Tell
    ) -> None:
        self._experiments = {each.id: each for each in experiments}
        self._store = store
        self._site = site
        self._tell = tell
        self._tries = Counter[tuple[str, int]]()
        self._tried = 0.0
        self.has_no_room = False

    def are_due(self, lines: Sequence[Line]) -> bool:
        """Whether there are any that are worth another try."""
        return bool(self._owed(lines))

    def go_on(self, lines: Sequence[Line]) -> bool:
        """Hand over what is due, if it is time to try.

        Returns:
            Whether there may be more in the queue than before.
        """
        if self._tried and time.monotonic() < self._tried + PAUSE_S:
            return False
        owed = self._owed(lines)
        if not owed:
            return False
        self._tried = time.monotonic()
        self._tries.update((line.id, line.status.attempt) for line in owed)
        chosen = [self._experiments[line.id] for line in owed]
        try:
            no_room = submit_owed(chosen, self._store, self._site, self._tell)
        except RefusedError as error:
            self._tell(f"warning: not submitted again: {error.message}")
            return False
        self.has_no_room = no_room is not None
        return True

    def _owed(self, lines: Sequence[Line]) -> list[Line]:
        return [
            line
            for line in lines
            if line.state in OWED
            and self._tries[line.id, line.status.attempt] < MOST
            and _is_owed(self._experiments[line.id])
        ]


def _is_owed(experiment: Experiment) -> bool:
    """Whether its last job's supervisor wanted it to come back, and nobody saw to it."""
    files = newest_attempt(experiment.run_dir)
    facts = None if files is None else attempt_facts(files)
    return facts is not None and facts.comes_back and facts.not_sent_back is not None
