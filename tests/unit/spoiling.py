"""Files that are wrong in a place or two, made out of good ones; the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

TEXTS = (
    *("", " ", ".", "a.b", "ünï\u202e", "\x00", "x" * 200, "9" * 5000, "{", "{lr}", "{0}", "{{}}"),
    *("none", "webhook", "/bin/'x", "https://x", "~/x", "class", "10m", "32G", "1T", "12:00:00"),
    *("99999999999999:00:00", "1e400", "auto", "max", "USR1", "large.yaml", "gone.yaml", "/", "<<"),
)
NUMBERS = (
    *(0, 1, 2, -1, 3, 2**31, 2**63, 10**20, 10**400, 10**4000, -0.0, 0.5, 1.5, 1e-3, 1e13, 1e300),
    *(float("nan"), float("inf"), float("-inf")),
)
_LINES = (
    *("1: 2", "? [a]\n: 3", "<<: {seed: 3}", "<<: 3", "~: 1", "---", "- x", "seed: *x", "a: !x 1"),
    "\tseed: 1",
)


class Spoiler:
    """Puts anything anywhere.

    Args:
        keys: that a mapping may get besides its own.
    """

    def __init__(
        self,
        source: random.Random,
        keys: Sequence[str],
        numbers: Sequence[Any] = NUMBERS,
        texts: Sequence[str] = TEXTS,
    ) -> None:
        self._random = source
        self._keys = (*keys, *texts)
        self._atoms = ((None, True, False), numbers, numbers, texts)

    def spoil(self, data: Any) -> None:
        """Change a file's content in one place."""
        container, key = self._random.choice([*_places(data)] or [(data, "name")])
        how = self._random.random()
        if how < 0.5:
            container[key] = self.value()
        elif how < 0.7:
            container[key] = self._random.choice(_near(container[key]))
        elif how < 0.8:
            del container[key]
        elif isinstance(container, dict):
            container[self._random.choice(self._keys)] = self.value()

    def value(self, depth: int = 0) -> Any:
        """Anything that a file can hold."""
        pick, kind = self._random.choice, self._random.randrange(6 if depth < 3 else 4)
        if kind < 4:
            return pick(self._atoms[kind])
        inside = [self.value(depth + 1) for _ in range(self._random.randrange(3))]
        return inside if kind == 4 else {pick(self._keys): each for each in inside}

    def insert_line(self, lines: list[str]) -> None:
        """One of YAML's own pitfalls, or a line that is there twice."""
        place = self._random.randrange(len(lines))
        lines.insert(place, self._random.choice((*_LINES, self._random.choice(lines))))


def _near(value: Any) -> Sequence[Any]:
    """What is almost this value."""
    if isinstance(value, str):
        return (value[:-1], value.upper(), f"{value} ", [value], {value: None})
    if isinstance(value, list):
        return ([], [*value, *value[:1]], value[:1], value[::-1], {"0": value}, [value])
    if isinstance(value, dict):
        return ({}, [value], list(value), value | dict.fromkeys(list(value)[:1]))
    if isinstance(value, bool) or value is None:
        return (not value, str(value), 0, [])
    return (-value, value + 1, value * 1000, value / 2, float(value), str(value), [value])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
