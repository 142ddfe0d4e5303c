"""How long steps take, seen from outside: by the counters that a thread looks at."""

_STANDING = ("starting", "checkpointing")
"""Phases in which no step is expected."""


class Pace:
    """When training made its last step, and how long the longest took.

    Training only counts. Whoever looks once a second is at most so much wrong, and that is
    little against the minute from which on anybody worries.

    Attributes:
        stepped: when the last step, or batch of a validation, was seen; None before training.
        longest: seconds of the longest time between two chances to stop; None before the second.
    """

    def __init__(self) -> None:
        self.stepped: float | None = None
        self.longest: float | None = None
        self._chance = 0.0
        self._seen = (0, 0)

    def look(self, now: float, phase: str, steps: int, chances: int) -> None:
        """Note what has changed.

        Args:
            now: of any clock that only goes forward, in seconds.
            steps: training batches done.
            chances: how often training has come by a place where it could stop. With
                accumulated gradients that is once in many steps.
        """
        if self.stepped is None or phase in _STANDING:
            self._chance = now
            self.stepped = None if phase == "starting" else now
        elif (steps, chances) != self._seen:
            self.stepped = now
            if chances != self._seen[1]:
                self.longest = max(self.longest or 0.0, now - self._chance)
                self._chance = now
        self._seen = (steps, chances)
