"""The random generators of this process: seeded per rank, captured, set again."""

import os
import random
from typing import Any

import numpy as np
import torch
from lightning.pytorch import seed_everything

State = dict[str, Any]
"""States of Python's, NumPy's and torch's generators, of types that load safely."""


def seed_all(seed: int) -> None:
    """Seed every generator, the same on all ranks: for building a model."""
    seed_everything(seed, workers=True, verbose=False)


def seed_rank(seed: int, rank: int) -> None:
    """Seed every generator of one rank: for training, where ranks draw differently."""
    mixed = np.random.SeedSequence((seed, rank)).generate_state(1)[0]
    seed_all(int(mixed))
    # Lightning's samplers take it, and all ranks must share out one order of the data.
    os.environ["PL_GLOBAL_SEED"] = str(seed)


def capture() -> State:
    """The present state of all generators."""
    version, words, gauss = random.getstate()
    numpy_state: dict[str, Any] = np.random.get_state(legacy=False)
    numpy_words = numpy_state["state"]["key"].astype(np.int64)
    state: State = {
        "python": [version, list(words), gauss],
        "numpy": {
            "key": torch.from_numpy(numpy_words),
            "pos": int(numpy_state["state"]["pos"]),
            "has_gauss": int(numpy_state["has_gauss"]),
            "gauss": float(numpy_state["gauss"]),
        },
        "torch": torch.get_rng_state(),
    }
    # Whether there is a GPU is looked up anew each time, which takes as long as all of the above.
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore(state: State) -> None:
    """Set all generators to a captured state."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    saved = state["numpy"]
    key = saved["key"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", key, saved["pos"], saved["has_gauss"], saved["gauss"]))
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
