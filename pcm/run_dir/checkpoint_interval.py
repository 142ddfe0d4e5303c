"""How often a checkpoint is taken, as people write it: `auto`, `10m`, `{steps: 500}`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EXPECTED = "auto, a time such as 10m, {steps: 500} or {epochs: 1}"


class Unit(StrEnum):
    """What an interval counts."""

    AUTO = "auto"
    MINUTES = "minutes"
    STEPS = "steps"
    EPOCHS = "epochs"


_TEXT = re.compile(r"(?P<count>(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?) ?(?P<unit>[a-z]+)", re.ASCII)

_UNITS = {
    **dict.fromkeys(("s", "sec", "seconds"), (Unit.MINUTES, 1 / 60)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), (Unit.MINUTES, 1.0)),
    **dict.fromkeys(("h", "hour", "hours"), (Unit.MINUTES, 60.0)),
    **dict.fromkeys(("step", "steps"), (Unit.STEPS, 1.0)),
    **dict.fromkeys(("epoch", "epochs"), (Unit.EPOCHS, 1.0)),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """So many of a unit; how many means nothing for `auto`."""

    unit: Unit = Unit.AUTO
    count: float = 0.0

    @classmethod
    def parse(cls, written: Any) -> "Interval":
        """An interval as a file has it; the text of one, too.

        Raises:
            ValueError: it is none.
        """
        if isinstance(written, Mapping) and len(written) == 1:
            ((word, count),) = written.items()
            if isinstance(count, int | float) and not isinstance(count, bool):
                return cls._of(_as_float(count), str(word))
        if written == Unit.AUTO:
            return cls()
        if isinstance(written, str) and (match := _TEXT.fullmatch(written.strip())):
            return cls._of(float(match["count"]), match["unit"])
        raise ValueError(EXPECTED)

    @classmethod
    def _of(cls, count: float, word: str) -> "Interval":
        unit, factor = _UNITS.get(word, (Unit.AUTO, 0.0))
        is_whole = unit is Unit.MINUTES or count.is_integer()
        if unit is Unit.AUTO or not is_whole or not 0 < count * factor < math.inf:
            raise ValueError(EXPECTED)
        return cls(unit, count * factor)

    def __str__(self) -> str:
        return str(self.unit) if self.unit is Unit.AUTO else f"{self.count:.12g} {self.unit}"


def _as_float(count: float) -> float:
    """The count; infinity for a whole number of more digits than a real one can have."""
    try:
        return float(count)
    except OverflowError:
        return math.inf
