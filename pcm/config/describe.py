"""A structure as YAML-like text, for people."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pcm.config.inspection import summary
from pcm.config.shapes import Choice, MapOf, Meaning, OneOf, Record, Rule, Tagged
from pcm.config.structure import ConfigStructure
from pcm.config.structures import structure_at
from pcm.config.structures.links import LINKS
from pcm.config.structures.plots import PLOT_FUNCTIONS

_INDENT = "  "
_LONGEST_CHOICE = 72


def describe_at(spec_path: str) -> str:
    """What a config at `spec_path` looks like; for a link also its methods and losses.

    Raises:
        NotFoundError: there is no such spec path; names the nearest one.
    """
    lines = [describe(structure_at(spec_path))]
    if spec_path in LINKS:
        spec = LINKS[spec_path]
        lines += [f"# method {name}({_arguments(kwargs)})" for name, kwargs in spec.methods.items()]
        lines += [f"# loss {name}" for name in spec.losses]
    function = PLOT_FUNCTIONS.get(spec_path.removeprefix("plot_functions/"))
    if function is not None:
        lines.append(f"# data_args_names: {', '.join(function.data)}")
    return "\n".join(lines)


def describe(structure: ConfigStructure) -> str:
    """What a config of this structure looks like: a line a key, with what may stand there."""
    return "\n".join(_block(structure))


def _arguments(kwargs: Record) -> str:
    required = [f"{key}: {_inline(value)}" for key, value in kwargs.required.items()]
    optional = [f"{key}: {_inline(value)}, optional" for key, value in kwargs.optional.items()]
    return "; ".join([*required, *optional])


def _block(structure: ConfigStructure) -> Iterator[str]:
    inline = _inline(structure)
    if inline is not None:
        yield inline
    elif isinstance(structure, list):
        yield from _item(structure[0])
    elif isinstance(structure, tuple):
        yield from _alternatives(structure)
    elif isinstance(structure, Choice):
        yield from _alternatives((structure.second, structure.first))
    elif isinstance(structure, (Rule, Meaning)):
        yield from _block(structure.structure)
    elif isinstance(structure, Tagged):
        yield from _tagged(structure)
    elif isinstance(structure, MapOf):
        yield from _entry("NAME", structure.values)
    else:
        yield from _record(structure)


def _inline(structure: ConfigStructure) -> str | None:
    """The structure in one line, or None where it takes several."""
    if structure is Namespace:
        return "anything"
    if isinstance(structure, OneOf):
        return " | ".join(structure.names)
    if isinstance(structure, (Rule, Meaning)):
        return _inline(structure.structure)
    if isinstance(structure, (tuple, list, dict, Record, MapOf)):
        return _inline_collection(structure)
    return None if isinstance(structure, (Choice, Tagged)) else summary(structure)


def _inline_collection(
    structure: tuple[Any, ...] | list[Any] | dict[str, Any] | Record | MapOf,
) -> str | None:
    if isinstance(structure, tuple):
        parts = [_inline(alternative) for alternative in structure]
        return None if None in parts else " | ".join(filter(None, parts))
    if isinstance(structure, (dict, Record)):
        return None if structure.keys() else "{}"
    is_list = isinstance(structure, list)
    inside = _inline(structure[0] if isinstance(structure, list) else structure.values)
    if inside is None:
        return None
    return f"[{inside}]" if is_list else f"{{NAME: {inside}}}"


def _record(structure: Mapping[str, Any] | Record) -> Iterator[str]:
    record = structure if isinstance(structure, Record) else Record(structure)
    for key, value in record.required.items():
        yield from _entry(key, value)
    for key, value in record.optional.items():
        yield from _entry(key, value, "optional")


def _tagged(structure: Tagged) -> Iterator[str]:
    for key, value in structure.fields.items():
        if key == structure.content:
            yield f"{key}: as {structure.tag} says"
        elif key == structure.tag and value is str:
            yield from _choice(key, list(structure.choices))
        else:
            yield from _entry(key, value)


def _choice(key: str, names: Sequence[str]) -> Iterator[str]:
    joined = " | ".join(names)
    if len(joined) <= _LONGEST_CHOICE:
        yield f"{key}: {joined}"
        return
    yield f"{key}: str  # one of"
    yield from (f"{_INDENT}# {name}" for name in names)


def _entry(key: str, structure: ConfigStructure, remark: str = "") -> Iterator[str]:
    inline = _inline(structure)
    if inline is not None:
        yield f"{key}: {inline}" + (f"  # {remark}" if remark else "")
        return
    remarks = [remark] if remark else []
    if isinstance(structure, tuple):
        short = [text for part in structure if (text := _inline(part)) is not None]
        remarks += [f"{' or '.join(short)}, or"] if short else []
        structure = tuple(part for part in structure if _inline(part) is None)
    yield f"{key}:" + (f"  # {', '.join(remarks)}" if remarks else "")
    yield from (_INDENT + line for line in _block(structure))


def _item(structure: ConfigStructure) -> Iterator[str]:
    for number, line in enumerate(_block(structure)):
        yield f"{_INDENT if number else '- '}{line}"


def _alternatives(structures: tuple[ConfigStructure, ...]) -> Iterator[str]:
    for number, structure in enumerate(structures):
        if number:
            yield "# or"
        yield from _block(structure)
