"""Words of a command with placeholders: `--lr`, `{lr}` -> `--lr`, `0.001`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

OWN_NAMES = ("seed", "run_dir")
"""What a placeholder may name besides a param; a param of the same name comes first."""


def placeholders(word: str) -> list[str]:
    """Names in braces of a word, in its order; `{{` and `}}` are braces of the word itself.

    Raises:
        ValueError: a brace is left open, or something other than a name is in it.
    """
    names = []
    for _, name, form, conversion in Formatter().parse(word):
        if name is None:
            continue
        if not name or form or conversion or "[" in name:
            raise ValueError("a placeholder holds a name and no more, as in {lr}")
        names.append(name)
    return names


def names_of(params: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    """What placeholders can name of params: `lr`, and below a mapping `optimizer.lr`."""
    for key, value in params.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from names_of(value, f"{prefix}{key}.")


def has_name(params: Mapping[str, Any], name: str) -> bool:
    """Whether `names_of` has a name; reads no value but those of mappings on its way."""
    if name in params:
        return True
    return any(
        name.startswith(f"{key}.")
        and isinstance(params[key], dict)
        and has_name(params[key], name.removeprefix(f"{key}."))
        for key in params
    )


def filled(words: Sequence[str | float], params: Mapping[str, Any], **own: Any) -> list[str]:
    """The words of a command with each placeholder's value in its place.

    Args:
        own: values of `OWN_NAMES`.
    """
    return [_filled(str(word), {**own, **params}) for word in words]


def _filled(word: str, values: Mapping[str, Any]) -> str:
    parts = []
    for text, name, _, _ in Formatter().parse(word):
        parts.append(text)
        if name is not None:
            parts.append(as_word(_looked_up(values, name)))
    return "".join(parts)


def _looked_up(values: Mapping[str, Any], name: str) -> Any:
    if name in values:
        return values[name]
    head, _, rest = name.partition(".")
    return _looked_up(values[head], rest)


def as_word(value: Any) -> str:
    """A value as a command line has it: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
