"""Amounts and settings as Slurm writes them."""

import re
from collections.abc import Iterator, Mapping

_FACTORS = {"K": 2**-10, "M": 1.0, "G": 2**10, "T": 2**20}

_SETTING = re.compile(r"^(\w+)\s*= ?(.*)$", re.MULTILINE)


def megabytes(text: str, *, plain: float = 1e-6) -> float | None:
    """`27672K`, `50M`, `4Gn` (of a node, in older versions) -> megabytes; None for no amount.

    Args:
        plain: megabytes that a number without a unit counts: sacct means bytes by it.
    """
    match = re.fullmatch(r"([0-9.]+)([KMGT]?)[nc]?", text.strip())
    if match is None or match[1].count(".") > 1 or match[1] == ".":
        return None
    return float(match[1]) * _FACTORS.get(match[2], plain)


def parse_settings(text: str) -> Mapping[str, str]:
    """What `scontrol show config` prints -> values by their names."""
    return {name: value.strip() for name, value in _SETTING.findall(text)}


def indices(text: str) -> Iterator[int]:
    """`3`, or `[1-3,7%2]` of tasks that share a record -> their numbers."""
    for part in text.strip("[]").partition("%")[0].split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part.strip())
        if match is not None:
            first, last, step = match[1], match[2] or match[1], match[3] or "1"
            yield from range(int(first), int(last) + 1, int(step))
