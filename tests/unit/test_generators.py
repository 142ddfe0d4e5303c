import io
import random

import numpy as np
import torch

from pcm import generators


def draw() -> list[float]:
    return [
        random.random(),
        random.gauss(0, 1),
        float(np.random.rand()),
        float(np.random.standard_normal()),
        float(torch.rand(())),
        float(torch.randn(())),
    ]


def test_restored_generators_draw_the_same() -> None:
    generators.seed_all(5)
    draw()  # leaves half a pair of Gaussians behind in Python's and NumPy's generators
    state = generators.capture()
    expected = [draw() for _ in range(3)]
    generators.seed_all(6)
    generators.restore(state)
    assert [draw() for _ in range(3)] == expected


def test_states_load_safely() -> None:
    generators.seed_all(5)
    stream = io.BytesIO()
    torch.save(generators.capture(), stream)
    expected = draw()
    stream.seek(0)
    generators.restore(torch.load(stream, weights_only=True))
    assert draw() == expected


def test_ranks_draw_differently_and_each_the_same_again() -> None:
    draws = []
    for rank in (0, 1, 0):
        generators.seed_rank(7, rank)
        draws.append(draw())
    assert draws[0] == draws[2]
    assert all(a != b for a, b in zip(draws[0], draws[1], strict=True))
