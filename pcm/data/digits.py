"""Where the digits come from: the files of full MNIST, or the bundled sample."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pcm.data.idx import read_idx
from pcm.errors import PcmError

SAMPLE = Path(__file__).with_name("digits_sample.npz")
"""Real digits, equally many of each class; made by scripts/make_digit_sample.py."""

N_CLASSES = 10

BUNDLED = "the bundled sample"

RAW_FOLDER = Path("MNIST", "raw")
"""Below the data folder, as torchvision has it."""

_PREFIXES = {True: "train", False: "t10k"}
_KINDS = {"images-idx3-ubyte": 3, "labels-idx1-ubyte": 1}


@dataclass(frozen=True)
class Digits:
    """One split of the data set.

    Attributes:
        train: which split.
        images: (n, side, side) uint8, on the device where they are used.
        labels: (n,) classes 0 to 9.
        source: where they came from, in a few words.
    """

    train: bool
    images: Tensor
    labels: NDArray[np.float64]
    source: str

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Digits":
        """The same digits with the images on `device`."""
        return replace(self, images=self.images.to(device))

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal digits, wherever they came from."""
        content = sha256(self.images.cpu().numpy().tobytes())
        content.update(self.labels.tobytes())
        return content.hexdigest()


def load_digits(train: bool, data_dir: Path | None) -> Digits:
    """The split from the files below `data_dir`, or from the bundled sample if there are none.

    Raises:
        PcmError: files are there but one is missing, damaged or of the wrong sizes.
    """
    if data_dir is None or not has_files(data_dir):
        return _load_sample(train)
    folder = data_dir / RAW_FOLDER
    images, labels = (
        read_idx(_find(folder, f"{_PREFIXES[train]}-{kind}"), n_dims)
        for kind, n_dims in _KINDS.items()
    )
    _check_match(f"{folder}/{_PREFIXES[train]}-*", images, labels)
    return _digits(train, images, labels, f"full MNIST in {folder}")


def _check_match(files: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    count, height, width = images.shape
    if count == 0 or len(labels) != count or height != width:
        raise PcmError(
            f"{files}: {count:,} images of {height} x {width} and {len(labels):,} labels"
            " don't belong together",
            hint="delete the files and fetch them again",
        )
    if labels.max() >= N_CLASSES:
        raise PcmError(
            f"{files}: one of the labels is {labels.max()}",
            hint=f"labels go from 0 to {N_CLASSES - 1}; fetch MNIST itself",
        )


def has_files(data_dir: Path) -> bool:
    """Whether any of MNIST's files is below `data_dir`."""
    return any(path.is_file() for name in _names() for path in _forms(data_dir / RAW_FOLDER, name))


def _names() -> Iterator[str]:
    return (f"{prefix}-{kind}" for prefix in _PREFIXES.values() for kind in _KINDS)


def _forms(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / name, folder / f"{name}.gz"


def _find(folder: Path, name: str) -> Path:
    for path in _forms(folder, name):
        if path.is_file():
            return path
    raise PcmError(
        f"{folder}: neither {name} nor {name}.gz is there, though others of its files are",
        hint="fetch the missing file, or delete the folder to have all fetched again",
    )


def _load_sample(train: bool) -> Digits:
    split = "train" if train else "test"
    with np.load(SAMPLE) as arrays:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    return _digits(train, images, labels, BUNDLED)


def _digits(
    train: bool, images: NDArray[np.uint8], labels: NDArray[np.uint8], source: str
) -> Digits:
    # A copy, since torch doesn't take memory that is read only.
    return Digits(train, torch.from_numpy(images.copy()), labels.astype(np.float64), source)
