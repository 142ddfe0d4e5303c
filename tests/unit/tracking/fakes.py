"""A tracking service in memory, and clients of it that go wrong."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pcm.run_dir import RunDir
from pcm.tracking.tracker import Point


class Service:
    """What the service holds; it outlives its clients."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, list[Point]]] = {}
        self.fields: dict[str, Any] = {}
        self.tags: list[str] = []

    def steps(self, key: str) -> list[int]:
        """The steps of a series, over all runs, as they came."""
        return [point.step for run in self.runs.values() for point in run.get(key, [])]


class FakeTracker:
    """A client of `service`.

    Attributes:
        before: called with (method, client) before each call; raises to fail it.
        tells: whether the service can say what it holds.
        found: whether its record of the run may be wrong.
    """

    def __init__(self, service: Service, *, tells: bool = True) -> None:
        self.slot = "fake"
        self.local = False
        self.service = service
        self.before: Callable[[str, FakeTracker], None] = lambda _method, _client: None
        self.tells = tells
        self.found = False
        self.run: str | None = None

    def open(self, runs: Sequence[str]) -> str:
        self.before("open", self)
        self.run = runs[-1] if runs else f"run-{len(self.service.runs) + 1}"
        self.service.runs.setdefault(self.run, {})
        return self.run

    def describe(self, fields: Mapping[str, Any], tags: Sequence[str]) -> None:
        self.before("describe", self)
        self.service.fields |= fields
        self.service.tags = list(tags)

    def log(self, key: str, points: Sequence[Point]) -> None:
        assert self.run is not None
        self.before("log", self)
        self.service.runs[self.run].setdefault(key, []).extend(points)

    def flush(self) -> None:
        self.before("flush", self)

    def last_step(self, key: str, otherwise: int) -> int:
        assert self.run is not None
        if not self.tells:
            return otherwise
        return max((p.step for p in self.service.runs[self.run].get(key, [])), default=-1)

    def close(self) -> None:
        self.run = None


class Broken(FakeTracker):
    """Fails at once, and lets out a secret."""

    def __init__(self, _run_dir: RunDir, _experiment: dict[str, Any]) -> None:
        super().__init__(Service())

    def open(self, _runs: Sequence[str]) -> str:
        raise ConnectionError("401 for https://user:hush-hush-token@tracker.example")


class Hanging(FakeTracker):
    """Never comes back."""

    def __init__(self, _run_dir: RunDir, _experiment: dict[str, Any]) -> None:
        super().__init__(Service())

    def flush(self) -> None:
        time.sleep(600)


class Dying(FakeTracker):
    """Takes its whole process along."""

    def __init__(self, _run_dir: RunDir, _experiment: dict[str, Any]) -> None:
        super().__init__(Service())

    def flush(self) -> None:
        import os

        os.abort()
