"""Ways of doing one thing, measured in turn, and compared as medians of pairs.

A machine that others use slows what runs at the same time alike, so each round runs every way
once, and a ratio is taken within a round. CPU seconds are the kernel's (`getrusage`), of the
process or of all that a command started, so that both sides of a ratio have one clock.
"""

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds.

    Attributes:
        cpu: of all processors together, user and system.
        wall: by the clock on the wall.
    """

    cpu: float
    wall: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu - other.cpu, self.wall - other.wall)


def spent(whose: int = resource.RUSAGE_SELF) -> Cost:
    """By this process so far, or by the children that it has waited for; only differences count."""
    used = resource.getrusage(whose)
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter())


def cost_of(act: Callable[[], object], whose: int = resource.RUSAGE_SELF) -> Cost:
    """Of something that this process does, in whichever of its threads."""
    before = spent(whose)
    act()
    return spent(whose) - before


def cost_of_command(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Of a command that succeeds, and of all processes that it started and waited for.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is on the terminal.
    """

    def run() -> None:
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

    return cost_of(run, resource.RUSAGE_CHILDREN)


class Rounds:
    """Ways by name, each run once a round.

    Args:
        ways: what runs each and tells its cost.
        count: how many rounds.
    """

    def __init__(self, ways: Mapping[str, Callable[[], Cost]], count: int) -> None:
        self.count = count
        self._rounds = [{name: run() for name, run in ways.items()} for _ in range(count)]

    def median(self, name: str) -> Cost:
        """Of a way's CPU and wall seconds, each for itself."""
        costs = [each[name] for each in self._rounds]
        cpu, wall = ([each.cpu for each in costs], [each.wall for each in costs])
        return Cost(statistics.median(cpu), statistics.median(wall))

    def ratio(self, ours: str, theirs: str) -> Cost:
        """The medians, over the rounds, of our cost as a multiple of theirs."""
        pairs = [(each[ours], each[theirs]) for each in self._rounds]
        cpu, wall = ([a.cpu / b.cpu for a, b in pairs], [a.wall / b.wall for a, b in pairs])
        return Cost(statistics.median(cpu), statistics.median(wall))

    def line(self, ours: str, theirs: str) -> str:
        """A way's medians and how it compares, as text: seconds, and multiples of the other's."""
        cost, ratio = self.median(ours), self.ratio(ours, theirs)
        return (
            f"{cost.cpu:8.2f} s CPU {cost.wall:8.2f} s wall   "
            f"{ratio.cpu:6.2f} x CPU {ratio.wall:6.2f} x wall"
        )
