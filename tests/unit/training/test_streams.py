import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from pcm import generators
from pcm.internals.twisters import NumpyTwister, PythonTwister, Twister
from pcm.training.states import streams
from pcm.training.states.streams import Stream

DRAWS: dict[str, Callable[[], float]] = {
    "nothing": lambda: 0.0,
    "random": random.random,
    "gauss": lambda: random.gauss(0, 1),
    "rand": lambda: float(np.random.rand()),
    "normal": lambda: float(np.random.standard_normal()),
    "many": lambda: float(np.random.rand(700)[-1]) + sum(random.random() for _ in range(400)),
    "torch": lambda: float(torch.randn(())),
    "seed": lambda: float(random.seed(3) or np.random.seed(4) or 0),
}


def drawn_in_turn(own: generators.State) -> list[float]:
    """What training and a stream draw, each from its own, changing places by copies for files."""
    drawn, shared = [], generators.capture()
    for inside, outside in turns():
        generators.restore(own)
        drawn.append(DRAWS[inside]())
        own = generators.capture()
        generators.restore(shared)
        drawn.append(DRAWS[outside]())
        shared = generators.capture()
    return drawn


def drawn_with_stream(stream: Stream) -> list[float]:
    drawn = []
    for inside, outside in turns():
        with stream:
            drawn.append(DRAWS[inside]())
        drawn.append(DRAWS[outside]())
    return drawn


def turns() -> list[tuple[str, str]]:
    chosen = random.Random(5)
    return [(chosen.choice([*DRAWS]), chosen.choice([*DRAWS])) for _ in range(200)]


def seeded(seed: int) -> generators.State:
    generators.seed_all(seed)
    return generators.capture()


class Unreadable(PythonTwister):
    def _address(self) -> int | None:
        return None


@pytest.mark.parametrize("python", [PythonTwister(), Unreadable()], ids=["memory", "functions"])
def test_a_stream_and_training_draw_from_their_own(
    python: Twister, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_PYTHON", python)
    own, shared = seeded(1), seeded(2)
    expected = drawn_in_turn(own)
    generators.restore(shared)
    assert drawn_with_stream(Stream(own)) == expected


def test_an_error_inside_leaves_the_generators_to_training() -> None:
    own, shared = seeded(1), seeded(2)
    stream = Stream(own)
    expected = DRAWS["random"](), DRAWS["rand"](), DRAWS["torch"]()
    generators.restore(shared)
    with pytest.raises(StopIteration), stream:
        next(
            value for value in (random.random(), np.random.rand(), torch.rand(())) if value is None
        )
    assert (DRAWS["random"](), DRAWS["rand"](), DRAWS["torch"]()) == expected


@pytest.mark.parametrize("twister", [PythonTwister(), NumpyTwister()])
def test_a_twister_is_the_same_while_nothing_is_drawn(twister: Twister) -> None:
    seeded(1)
    state = twister.read(None)
    assert state.memory, "it is slow where the memory can't be read"
    assert twister.read(state) is state
    random.random(), np.random.rand()
    assert twister.read(state).memory != state.memory
