"""`${...}` of OmegaConf, as far as a file's own values and the environment answer it."""

import os
import re
from collections.abc import Mapping
from typing import Any

_INTERPOLATION = re.compile(r"\$\{([^${}]+)\}")
_DEEPEST = 20
"""References that lead to references; more are taken for a circle."""


def resolved(data: Any, root: Mapping[str, Any], hydra: Mapping[str, Any] | None = None) -> Any:
    """The same data with what can be answered filled in; the rest stays as it is written.

    Args:
        root: what `${paths.data}` starts from.
        hydra: what `${hydra:runtime.cwd}` starts from.
    """
    if isinstance(data, dict):
        return {key: resolved(value, root, hydra) for key, value in data.items()}
    if isinstance(data, list):
        return [resolved(value, root, hydra) for value in data]
    return _resolved_text(data, root, hydra or {}) if isinstance(data, str) else data


def interpolations_in(data: Any, where: str = "") -> dict[str, str]:
    """What is left unanswered, by the place that it is in."""
    if isinstance(data, str):
        return {where: data} if _INTERPOLATION.search(data) else {}
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    found: dict[str, str] = {}
    for key, value in items:
        found |= interpolations_in(value, f"{where}.{key}" if where else str(key))
    return found


def _resolved_text(text: str, root: Mapping[str, Any], hydra: Mapping[str, Any]) -> Any:
    for _ in range(_DEEPEST):
        whole = _INTERPOLATION.fullmatch(text)
        if whole and not isinstance(answer := _answer(whole[1], root, hydra), str):
            return text if answer is None else resolved(answer, root, hydra)
        filled = _INTERPOLATION.sub(
            lambda match: _written(_answer(match[1], root, hydra), match[0]), text
        )
        if filled == text:
            break
        text = filled
    return text


def _written(answer: Any, otherwise: str) -> str:
    return otherwise if answer is None or isinstance(answer, dict | list) else str(answer)


def _answer(name: str, root: Mapping[str, Any], hydra: Mapping[str, Any]) -> Any:
    """What an interpolation stands for; None where that can't be known from here."""
    resolver, colon, rest = name.partition(":")
    if not colon:
        return _at(root, name)
    if resolver == "hydra":
        return _at(hydra, rest)
    if resolver == "oc.env":
        variable, _, default = (part.strip() for part in rest.partition(","))
        return os.environ.get(variable) or default or None
    return None


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        elif isinstance(data, dict):
            data = data.get(key)
        else:
            return None
    return None if data == "???" else data
