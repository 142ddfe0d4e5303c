"""Parts of modules whose state is in values of the usual classes: enums, tuples, dataclasses."""

import itertools
import random
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum, StrEnum, auto
from typing import Any, NamedTuple

import numpy as np
import torch
from own_stray_parts import Stray  # type: ignore[import-not-found]  # beside this file
from torch import Tensor

Model = Any


class Phase(Enum):
    WARM = "warm"
    HOT = "hot"
    COLD = "cold"


class Level(IntEnum):
    LOW = 1
    HIGH = 5


class Word(StrEnum):
    ODD = auto()
    EVEN = auto()


class Seen(Flag):
    NOTHING = 0
    FEW = auto()
    MANY = auto()


class Moments(NamedTuple):
    mean: Tensor
    square: Tensor
    phase: Phase


@dataclass
class Tally:
    total: Tensor = field(default_factory=lambda: torch.zeros(2))
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    by_word: dict[Word, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Best:
    loss: Tensor
    moments: Moments | None = None


class Named(Stray):  # type: ignore[misc]  # not seen from here
    """In enums and what holds them, in named tuples and dataclasses with tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.phase, self.level, self.word, self.seen = Phase.WARM, Level.LOW, Word.ODD, Seen.NOTHING
        self.moments = Moments(torch.zeros(()), torch.zeros(()), Phase.WARM)
        self.tally, self.best = Tally(), Best(torch.tensor(9.0))
        self.later: Tally | None = None
        self.by_phase: Counter[Phase] = Counter()

    def advance(self, model: Model, loss: float) -> float:  # noqa: ARG002
        now = torch.tensor(loss, dtype=torch.float32)
        self.phase = {Phase.WARM: Phase.HOT, Phase.HOT: Phase.COLD}.get(self.phase, Phase.WARM)
        self.word = Word.EVEN if self.word is Word.ODD else Word.ODD
        self.seen |= Seen.FEW if loss < 0.7 else Seen.MANY
        self.level = Level.HIGH if self.seen & Seen.MANY else Level.LOW
        self.by_phase[self.phase] += 1
        mean, square, phase = self.moments
        self.moments = Moments(mean.lerp(now, 0.1), square.lerp(now * now, 0.1), self.phase)
        if loss < float(self.best.loss):
            self.best = Best(now, self.moments)
        self.later = self.later or Tally()
        for tally in (self.tally, self.later):
            tally.total += now
            tally.recent.append(loss)
            tally.by_word[self.word] = tally.total.clone()
        kept: list[Any] = [
            self.moments.mean,
            self.best.loss,
            self.later.total.sum(),
            *self.tally.recent,
        ]
        kept += [self.level, self.by_phase[Phase.HOT], len(self.later.by_word), phase is Phase.HOT]
        return sum(map(float, kept))


class Gathered(Stray):  # type: ignore[misc]
    """In containers of all kinds, of arrays and generators, which hold one another."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = itertools.count(2, 3)
        self.order: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()
        self.drawn: dict[str, Any] = {
            "python": random.Random(8),
            "numpy": [np.random.Generator(np.random.Philox(8)), np.random.RandomState(9)],
        }
        self.again = self.drawn["numpy"]
        self.by_size: defaultdict[int, deque[Any]] = defaultdict(lambda: deque(maxlen=3))
        self.unique: set[Any] = set()
        self.chained: ChainMap[str, float] = ChainMap({}, {"rate": 0.1})
        self.ring: list[Any] = []
        self.ring.append(self.ring)

    def advance(self, model: Model, loss: float) -> float:
        step = next(self.steps)
        name = "abc"[step % 3]
        self.order[name] = self.order.get(name, np.zeros(2)) + loss
        self.order.move_to_end(name)
        draw = self.drawn["python"].random() + self.again[0].random() + self.again[1].rand()
        self.by_size[step % 2].append(np.float32(draw))
        self.unique.add((model.current_epoch, name))
        self.chained["rate"] = self.chained["rate"] * 0.99
        if len(self.ring) < 4:
            self.ring.append((self.ring, step))
        kept = [next(iter(self.order.values())).sum(), draw, len(self.unique), len(self.ring)]
        kept += [sum(map(float, self.by_size[0])), self.chained["rate"]]
        return sum(map(float, kept))


PARTS: dict[str, Any] = {each.__name__.lower(): each for each in (Named, Gathered)}
