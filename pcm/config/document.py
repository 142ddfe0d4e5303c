"""A YAML file as plain data, with the line of every key.

YAML 1.2 numbers and booleans, no object tags, no key twice, aliases bounded. The parser's
events are built into data here, without recursion, so that no file can exhaust the stack;
PyYAML's C parser is used where it is installed (8 times as fast).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pcm.config.building import Builder, Node
from pcm.config.keys import Keys
from pcm.config.names import nearest_file
from pcm.errors import ConfigError, Fault

MAX_BYTES = 1 << 20
"""A config is written by hand; what is longer was not meant to be one."""

_LOADER: Any = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader


class Lines(Mapping[Keys, int]):
    """The line, from 1, of every key path of a document."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def __getitem__(self, keys: Keys) -> int:
        node = self._root
        for key in keys:
            node = node.children[key]
        return node.line

    def __iter__(self) -> Iterator[Keys]:
        stack: list[tuple[Keys, Node]] = [((), self._root)]
        while stack:
            keys, node = stack.pop()
            yield keys
            stack.extend(((*keys, key), child) for key, child in reversed(node.children.items()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Document:
    """One config file.

    Attributes:
        name: the file's name as the user gave it.
        data: dicts, lists, strings, numbers, booleans and None.
        lines: line of every key path; `()` is the first line with content.
    """

    name: str
    data: Any
    lines: Mapping[Keys, int]


def load_document(path: str | Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigError: no such file, not readable, too long, not UTF-8, or not valid YAML.
    """
    name = str(path)
    content = _read_bytes(Path(path), name)
    if len(content) > MAX_BYTES:
        raise _error(name, "the file is too long for a config", expected=f"{MAX_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise _error(name, "the file is not UTF-8 text", line=line, found=found) from None
    return parse_document(text, name)


def parse_document(text: str, name: str) -> Document:
    """Read YAML text; `name` stands for it in messages.

    Raises:
        ConfigError: the text is empty or not valid YAML; carries every fault up to the
            first syntax error.
    """
    builder = Builder(name)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        builder.faults.append(_syntax_fault(error, text, name))
    if builder.faults:
        raise ConfigError(builder.faults)
    if builder.root is None:
        found = "nothing but comments" if text.strip() else None
        expected = "a mapping of keys to values"
        raise _error(name, "the file is empty", line=1, found=found, expected=expected)
    return Document(name, builder.root.value, Lines(builder.root))


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _error(name, "no such file", hint=_sibling_hint(path)) from None
    except IsADirectoryError:
        raise _error(name, "this is a folder", expected="a YAML file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(name, f"cannot read the file: {reason}") from None


def _sibling_hint(path: Path) -> str | None:
    try:
        siblings = [sibling.name for sibling in path.parent.iterdir()]
    except OSError:
        return None
    nearest = nearest_file(path.name, siblings)
    return None if nearest is None else f"did you mean '{path.with_name(nearest)}'?"


def _error(name: str, problem: str, **details: Any) -> ConfigError:
    return ConfigError([Fault(problem, file=name, **details)])


def _syntax_fault(error: yaml.YAMLError, text: str, name: str) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
    else:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        problem = getattr(error, "reason", str(error))
    content = _line_of(text, line)
    return Fault(
        f"YAML syntax: {problem}",
        file=name,
        line=line,
        found=content.strip() or None,
        hint=_syntax_hint(content, problem),
    )


def _line_of(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line - 1][:120] if line <= len(lines) else ""


def _syntax_hint(content: str, problem: str) -> str | None:
    if "\t" in content[: len(content) - len(content.lstrip())]:
        return "indent with spaces, not with a tab"
    if "mapping values are not allowed" in problem:
        return "quote a value that contains ': '; check the indentation"
    return None
