"""Amounts and settings as Slurm writes them."""

import re
from collections.abc import Mapping

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
