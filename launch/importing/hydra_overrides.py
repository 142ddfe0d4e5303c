"""Overrides of Hydra's command line: what one sweeps over."""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException
from typing import Any

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_CASTS = ("int", "float", "str", "bool")
_ORDERS = ("sort", "shuffle")


def values_of(text: str) -> list[Any] | None:
    """What an override sweeps over; one value for what it sets, None for what isn't understood.

    Values stay as they are spelt: the script reads them as it did.
    """
    match = _CALL.fullmatch(text.strip())
    if match is None:
        return list(split(text))
    function, parts = match[1], split(match[2])
    if function in _ORDERS and parts[0].startswith("["):
        # The order of a list, which is a value and no sweep.
        return [text]
    if function in _CASTS:
        inner = values_of(match[2])
        return None if inner is None else [f"{function}({value})" for value in inner]
    return _SWEEPS[function](parts) if function in _SWEEPS else None


def distribution_of(text: str) -> dict[str, Any] | None:
    """What a sampler draws an override's value from, as an axis of `random`; None for no draw."""
    match = _CALL.fullmatch(text.strip())
    if match is None:
        values = split(text)
        return {"choice": values} if len(values) > 1 else None
    function, parts = match[1], split(match[2])
    if function == "interval":
        return {"uniform": [float(part) for part in parts]}
    if function == "int" and (inner := distribution_of(match[2])) and "uniform" in inner:
        return {"int_uniform": [int(limit) for limit in inner["uniform"]]}
    if function == "tag":
        inner = distribution_of(parts[-1])
        if inner and "log" in parts[:-1]:
            return {f"log_{kind}" if kind == "uniform" else kind: at for kind, at in inner.items()}
        return inner
    values = values_of(text) or []
    return {"choice": values} if len(values) > 1 else None


def split(text: str) -> list[str]:
    """At the commas that are in no bracket and in no quotes, and have no backslash before them."""
    parts, depth, quote, is_escaped = [""], 0, "", False
    for character in text:
        if is_escaped or character == "\\":
            parts[-1] += character
            is_escaped = not is_escaped
            continue
        if quote or character in "'\"":
            quote = "" if character == quote else quote or character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _named(parts: list[str], names: tuple[str, ...]) -> Mapping[str, str]:
    """Arguments of a function by name, those without one in the order of `names`."""
    given = [part.partition("=") for part in parts]
    return {
        key if equals else name: value if equals else key
        for name, (key, equals, value) in zip(names, given, strict=False)
    }


def _range(parts: list[str]) -> list[Any] | None:
    names = ("start", "stop", "step") if len(parts) > 1 else ("stop",)
    given = _named(parts, names)
    try:
        start, stop, step = (
            Decimal(given.get(name, default))
            for name, default in (("start", "0"), ("stop", "nan"), ("step", "1"))
        )
    except DecimalException:
        return None
    if not stop.is_finite() or len(parts) > len(names):
        return None
    # A step of 0 is told by whoever reads the file.
    count = max(0, math.ceil((stop - start) / step))
    is_whole = all(_is_whole(each) for each in given.values())
    number: Callable[[Decimal], Any] = int if is_whole else float
    return [number(start + index * step) for index in range(count)]


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal()


def _ordered(parts: list[str]) -> list[Any] | None:
    values = [part for part in parts if not part.startswith("reverse=")]
    return values_of(values[0]) if len(values) == 1 else list(values)


_SWEEPS: Mapping[str, Callable[[list[str]], list[Any] | None]] = {
    "choice": list,
    "range": _range,
    "tag": lambda parts: values_of(parts[-1]),
    # They put the values into another order, which no point depends on.
    **dict.fromkeys(_ORDERS, _ordered),
}
