"""YAML events to data; every node keeps its line and its children by key."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from pcm.config.scalars import resolve_scalar
from pcm.errors import ConfigError, Fault

MAX_DEPTH = 64
"""Nesting beyond which a file is refused; the catalogue needs less than 20."""

MAX_ALIASED_NODES = 100_000
"""How many nodes the aliases of one file may stand for together."""

_CORE = "tag:yaml.org,2002:"
_SCALAR_TYPES: dict[str, tuple[type, ...]] = {
    f"{_CORE}null": (type(None),),
    f"{_CORE}bool": (bool,),
    f"{_CORE}int": (int,),
    f"{_CORE}float": (float, int),
}


@dataclass(slots=True)
class Node:
    """A value, the line it starts on, and the nodes below it by key or index."""

    value: Any
    line: int
    children: dict[str | int, "Node"] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A mapping or a list that has not ended yet."""

    node: Node
    anchor: str | None
    key: Node | None = None
    merged: list[Node] = field(default_factory=list)


class Builder:
    """Takes the events of one document; `root` is the result, `faults` what was wrong."""

    def __init__(self, name: str) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._name = name
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._aliased = 0
        self._take: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._start_document,
            yaml.MappingStartEvent: self._start_container,
            yaml.SequenceStartEvent: self._start_container,
            yaml.MappingEndEvent: self._end_container,
            yaml.SequenceEndEvent: self._end_container,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
        }

    def take(self, event: yaml.Event) -> None:
        """Add what `event` says.

        Raises:
            ConfigError: the file cannot be read on: nested too deep, too many aliases.
        """
        take = self._take.get(type(event))
        if take is not None:
            take(event)

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        if self.root is not None:
            self._stop(event, "a second document", expected="one document in a file")

    def _start_container(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        kind = "map" if isinstance(value, dict) else "seq"
        if event.tag not in (None, "!", _CORE + kind):
            self._refuse_tag(event)
        if len(self._open) >= MAX_DEPTH:
            self._stop(event, "nested too deep", expected=f"at most {MAX_DEPTH} levels")
        self._open.append(_Open(Node(value, _line(event)), event.anchor))

    def _end_container(self, _event: yaml.Event) -> None:
        ended = self._open.pop()
        for source in ended.merged:
            for key, child in source.children.items():
                if key not in ended.node.children:
                    self._put(ended.node, key, self._copy(child))
        self._add(ended.node, ended.anchor)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._add(Node(self._value(event), _line(event)), event.anchor, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            self._fault(event, f"the alias *{event.anchor} has no anchor before it")
        self._add(self._copy(known or Node(None, 0), line=_line(event)), None)

    def _copy(self, node: Node, line: int | None = None) -> Node:
        """A copy of its own, so that nothing that changes one use changes the other."""
        self._aliased += 1
        if self._aliased > MAX_ALIASED_NODES:
            fault = Fault(
                "the aliases of this file stand for too much",
                file=self._name,
                line=line or node.line,
                expected=f"at most {MAX_ALIASED_NODES:,} values",
            )
            raise ConfigError([*self.faults, fault])
        value = type(node.value)() if node.children else node.value
        copy = Node(value, line or node.line)
        for key, child in node.children.items():
            self._put(copy, key, self._copy(child))
        return copy

    def _add(self, node: Node, anchor: str | None, scalar: yaml.ScalarEvent | None = None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            self._put(parent.node, len(parent.node.value), node)
        elif parent.key is None:
            parent.key = self._key(node, scalar)
        else:
            key, parent.key = parent.key, None
            self._add_pair(parent, key, node)

    def _key(self, node: Node, scalar: yaml.ScalarEvent | None) -> Node:
        if not isinstance(node.value, str):
            found = "a mapping or a list" if scalar is None else scalar.value
            self.faults.append(
                Fault(
                    "a key must be a string",
                    file=self._name,
                    line=node.line,
                    found=found,
                    hint=None if scalar is None else f'quote it: "{scalar.value}"',
                )
            )
        # Only a plain `<<` merges; a quoted one is a key like any other.
        merges = scalar is not None and scalar.value == "<<" and scalar.implicit[0]
        return Node(None if merges else str(node.value), node.line)

    def _add_pair(self, parent: _Open, key: Node, node: Node) -> None:
        if key.value is None:
            self._merge(parent, key, node)
        elif key.value in parent.node.children:
            first = parent.node.children[key.value].line
            problem = f"the key '{key.value}' is given twice"
            expected = f"one of the two; the other is on line {first}"
            place = ".".join([*self._path(), key.value])
            self.faults.append(Fault(problem, self._name, key.line, place, expected=expected))
        else:
            node.line = key.line
            self._put(parent.node, key.value, node)

    def _path(self) -> Iterator[str]:
        """The keys that lead to the innermost container that is open."""
        for outer in self._open[:-1]:
            yield str(len(outer.node.value) if outer.key is None else outer.key.value)

    def _merge(self, parent: _Open, key: Node, node: Node) -> None:
        sources = list(node.children.values()) if isinstance(node.value, list) else [node]
        if all(isinstance(source.value, dict) for source in sources):
            parent.merged.extend(sources)
        else:
            expected = "an alias of a mapping, or a list of them"
            self.faults.append(
                Fault("'<<' can merge mappings only", self._name, key.line, expected=expected)
            )

    @staticmethod
    def _put(parent: Node, key: str | int, child: Node) -> None:
        parent.children[key] = child
        if isinstance(parent.value, list):
            parent.value.append(child.value)
        else:
            parent.value[key] = child.value

    def _value(self, event: yaml.ScalarEvent) -> Any:
        plain, _quoted = event.implicit
        if not plain and event.tag in (None, "!", f"{_CORE}str"):
            return event.value
        try:
            value = resolve_scalar(event.value)
        except ValueError:
            self._fault(event, "the number has too many digits")
            return 0
        # `.inf` is written on purpose; `695e0514` is the beginning of a hash.
        if isinstance(value, float) and math.isinf(value) and any(map(str.isdigit, event.value)):
            self._fault(event, "the number is too large", "a smaller one, or a text in quotes")
        if not plain and not isinstance(value, _SCALAR_TYPES.get(event.tag or "", ())):
            self._refuse_tag(event)
        return value

    def _refuse_tag(self, event: Any) -> None:
        tag = event.tag.replace(_CORE, "!!")
        self._fault(event, f"the tag {tag} is refused", expected="plain data without tags")

    def _fault(self, event: yaml.Event, problem: str, expected: str | None = None) -> None:
        self.faults.append(Fault(problem, self._name, _line(event), expected=expected))

    def _stop(self, event: yaml.Event, problem: str, expected: str) -> None:
        self._fault(event, problem, expected)
        raise ConfigError(self.faults)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
