"""The random generators that people make for themselves, of Python, NumPy and torch."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def generator_node(value: Any) -> list[Any] | None:
    """The node of a random generator, without its number; None of anything else."""
    if isinstance(value, torch.Generator):
        return ["torch", value.get_state()]
    if type(value) is random.Random:
        version, words, gauss = value.getstate()
        return ["python", [version, list(words), gauss]]
    if isinstance(value, np.random.Generator):
        return ["numpy", _numbers(value.bit_generator.state)]
    if isinstance(value, np.random.RandomState):
        return ["legacy numpy", _numbers(value.get_state(legacy=False))]
    return None


def _numbers(state: Any) -> Any:
    """NumPy's state of a generator with lists in place of its arrays, which don't load safely."""
    if isinstance(state, Mapping):
        return {name: _numbers(each) for name, each in state.items()}
    if isinstance(state, np.ndarray):
        return {"array": state.tolist(), "dtype": str(state.dtype)}
    # Of PCG64, numbers of 128 bits, which pickle writes as any other.
    return state.item() if isinstance(state, np.generic) else state


def _arrays(state: Any) -> Any:
    if isinstance(state, Mapping):
        if state.keys() == {"array", "dtype"}:
            return np.array(state["array"], dtype=state["dtype"])
        return {name: _arrays(each) for name, each in state.items()}
    return state


def rebuild_generator(tag: str, state: Any, present: Any) -> Any:
    """The generator with its state: the one that is there, which others may hold, or a new one."""
    if tag == "torch":
        generator = present if isinstance(present, torch.Generator) else torch.Generator()
        generator.set_state(state)
        return generator
    if tag == "python":
        mersenne = present if type(present) is random.Random else random.Random()
        mersenne.setstate((state[0], tuple(state[1]), state[2]))
        return mersenne
    if tag == "numpy":
        kind = getattr(np.random, state["bit_generator"])
        drawing = present if isinstance(present, np.random.Generator) else None
        if drawing is None or type(drawing.bit_generator) is not kind:
            drawing = np.random.Generator(kind())
        drawing.bit_generator.state = _arrays(state)
        return drawing
    legacy = present if isinstance(present, np.random.RandomState) else np.random.RandomState()
    legacy.set_state(_arrays(state))
    return legacy
