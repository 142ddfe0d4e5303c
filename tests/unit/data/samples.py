"""Configs, digits and IDX files for the tests of the data."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pcm.data.digits import Digits

SIDE = 28
CPU = torch.device("cpu")
KEYWORDS = {
    "fade": "threshold",
    "rotate": "degree",
    "resize": "size",
    "translate": "translation",
}


def categorical(
    token_id: int,
    transform: str,
    categories: list[Any],
    *,
    distribution: dict[str, Any] | None = None,
    known_prob: float = 1.0,
) -> dict[str, Any]:
    """A categorical condition, by default with equally likely categories."""
    weights = [1.0] * len(categories)
    return {
        "known_prob": known_prob,
        "is_continous": False,
        "cfg": {
            "token_id": token_id,
            "image_transform": {"name": transform, "keyword": KEYWORDS[transform], "kwargs": {}},
            "distribution": distribution or {"name": "categorical", "kwargs": {"probs": weights}},
            "categories_map": categories,
        },
    }


def continuous(
    token_id: int,
    transform: str,
    low: float,
    high: float,
    *,
    value_transform: str = "identity",
    known_prob: float = 1.0,
) -> dict[str, Any]:
    """A continuous condition, uniform from low to high."""
    return {
        "known_prob": known_prob,
        "is_continous": True,
        "cfg": {
            "token_id": token_id,
            "image_transform": {"name": transform, "keyword": KEYWORDS[transform], "kwargs": {}},
            "distribution": {"name": "uniform", "kwargs": {"low": low, "high": high}},
            "value_transform": {"name": value_transform, "kwargs": {}},
        },
    }


def data_cfg(
    *conditions: dict[str, Any], train: bool = True, label_known_prob: float = 1.0
) -> dict[str, Any]:
    """The content of a data file; the label's token id is 1."""
    return {
        "train": train,
        "label_condition": {"token_id": 1, "known_prob": label_known_prob},
        "cond_trans_mgr": list(conditions),
    }


def random_digits(count: int, *, train: bool = True, seed: int = 0) -> Digits:
    """Noise with labels."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    labels = generator.integers(0, 10, count).astype(np.float64)
    return Digits(train, torch.from_numpy(images), labels, "noise")


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """An array as the content of an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.tobytes()


def write_mnist(data_dir: Path, *, train: int, test: int, compressed: bool = False) -> None:
    """MNIST/raw/ below `data_dir`, with so many random digits; labels count 0 to 9 round."""
    folder = data_dir / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        images = random_digits(count, seed=count).images.numpy()
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            content = idx_bytes(array)
            if compressed:
                (folder / f"{prefix}-{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / f"{prefix}-{name}").write_bytes(content)
