"""Structures beyond plain data: optional keys, names out of a set, ranges, tagged unions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pcm.config.inspection import (
    ConfigStructure,
    Finding,
    Findings,
    Inspector,
    Shape,
    inspect_mapping,
    summary,
)
from pcm.config.names import did_you_mean
from pcm.config.wording import shown

# Compared by identity, like every object that an Inspector remembers.


@dataclass(frozen=True, eq=False)
class Record(Shape):
    """A mapping with required and optional keys."""

    required: Mapping[str, ConfigStructure] = field(default_factory=dict)
    optional: Mapping[str, ConfigStructure] = field(default_factory=dict)

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        return inspect_mapping(value, self.required, self.optional, inspector)

    def __str__(self) -> str:
        keys = [*self.required, *(f"{key} (optional)" for key in self.optional)]
        return f"a mapping with {', '.join(keys)}" if keys else "an empty mapping: {}"

    def keys(self) -> list[str]:
        """Required keys, then optional ones."""
        return [*self.required, *self.optional]

    def relaxed(self) -> "Record":
        """The same keys, all of them optional."""
        return Record({}, {**self.required, **self.optional})


@dataclass(frozen=True, eq=False)
class MapOf(Shape):
    """A mapping of any keys to values of one structure."""

    values: ConfigStructure

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if not isinstance(value, dict):
            return inspector.inspect(value, dict)
        return inspector.inspect_entries(value, dict.fromkeys(value, self.values))

    def __str__(self) -> str:
        return f"a mapping of names to {summary(self.values)}"


@dataclass(frozen=True, eq=False)
class OneOf(Shape):
    """A string out of a set of names.

    Attributes:
        what: what they name, e.g. "tracker".
        open_to: tells further names that are allowed.
    """

    names: Iterable[str]
    what: str
    open_to: Callable[[str], bool] = lambda _name: False

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if not isinstance(value, str):
            return inspector.inspect(value, str)
        if value in self.names or self.open_to(value):
            return ()
        hint = did_you_mean(value, self.names)
        return [Finding((), f"unknown {self.what}", shown(value), str(self), hint)]

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"


@dataclass(frozen=True, eq=False)
class Number(Shape):
    """A number within bounds.

    Attributes:
        kind: `int` or `float`.
        low, high: the bounds, themselves allowed unless `above` or `below` says not.
    """

    kind: type
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        findings = inspector.inspect(value, self.kind)
        if findings or self._holds(value):
            return findings
        return [Finding((), "out of range", shown(value), str(self))]

    def __str__(self) -> str:
        bounds = (
            ("at least", self.low),
            ("above", self.above),
            ("at most", self.high),
            ("below", self.below),
        )
        limits = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
        return f"{self.kind.__name__}, {limits}"

    def _holds(self, value: float) -> bool:
        return (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )


COUNT = Number(int, low=1)
POSITIVE = Number(float, above=0)
NOT_NEGATIVE = Number(float, low=0)
FRACTION = Number(float, low=0, high=1)


@dataclass(frozen=True, eq=False)
class Tagged(Shape):
    """A mapping of which one entry, the tag, decides the structure of another.

    Attributes:
        fields: every entry; that of `content` holds where the tag is none of `choices`
            but allowed all the same.
        tag: key of the entry that decides.
        content: key of the entry that is decided.
        choices: the structure of `content` by the tag.
        what: what a tag names, e.g. "link".
        open_to: tells further tags that are allowed, with any content.
    """

    fields: Mapping[str, ConfigStructure]
    tag: str
    content: str
    choices: Mapping[Any, ConfigStructure]
    what: str
    open_to: Callable[[str], bool] = lambda _tag: False

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        findings = [*inspect_mapping(value, self.fields, {}, inspector)]
        if not isinstance(value, dict) or self.tag not in value:
            return findings
        tag = value[self.tag]
        if inspector.inspect(tag, self.fields[self.tag]):
            return findings
        if tag not in self.choices:
            return [*findings, *self._unknown(tag)]
        if self.content in value:
            inside = inspector.inspect(value[self.content], self.choices[tag])
            findings += [finding.under(self.content) for finding in inside]
        return findings

    def __str__(self) -> str:
        return f"a mapping with {', '.join(self.fields)}"

    def _unknown(self, tag: Any) -> Iterator[Finding]:
        if not self.open_to(tag):
            expected = f"one of {', '.join(self.choices)}"
            hint = did_you_mean(tag, self.choices)
            yield Finding((self.tag,), f"unknown {self.what}", shown(tag), expected, hint)


@dataclass(frozen=True, eq=False)
class Rule(Shape):
    """A structure, and what its values must mean; `check` sees well-formed values only."""

    structure: ConfigStructure
    check: Callable[[Any], Iterable[Finding]]

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        return inspector.look(value, self.structure) or list(self.check(value))

    def __str__(self) -> str:
        return summary(self.structure)


@dataclass(frozen=True, eq=False)
class Meaning(Shape):
    """A structure, and how its parts fit together; `check` sees any value.

    For whole files, where one slip must not hide what is wrong elsewhere.
    """

    structure: ConfigStructure
    check: Callable[[Any, Inspector], Iterable[Finding]]

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        findings = inspector.look(value, self.structure)
        return [*findings, *self.check(value, inspector)]

    def __str__(self) -> str:
        return summary(self.structure)


@dataclass(frozen=True, eq=False)
class Choice(Shape):
    """One of two structures, as a glance at the value tells."""

    chooses_first: Callable[[Any], bool]
    first: ConfigStructure
    second: ConfigStructure

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        return inspector.look(value, self.first if self.chooses_first(value) else self.second)

    def __str__(self) -> str:
        return f"{summary(self.second)}, or {summary(self.first)}"
