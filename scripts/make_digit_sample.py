"""Make the bundled sample of digits from the IDX files of full MNIST.

    python scripts/make_digit_sample.py DATA_DIR [--output FILE]

DATA_DIR holds MNIST/raw/. The sample has the first digits of each class, in the order of
the files, so that it is the same whoever makes it.
"""

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np  # noqa: TID253 - runs where pcm.data runs
from numpy.typing import NDArray  # noqa: TID253 - as above

from pcm.data.digits import N_CLASSES, SAMPLE, Digits, has_files, load_digits
from pcm.run_dir import atomic_writer

PER_CLASS = {True: 300, False: 60}
"""Digits of each class, train and test."""


def main() -> None:
    """Write the sample and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--output", type=Path, default=SAMPLE)
    arguments = parser.parse_args()
    if not has_files(arguments.data_dir):
        parser.error(f"no MNIST/raw/ files in {arguments.data_dir}")
    arrays = sample_arrays(arguments.data_dir, PER_CLASS)
    write_archive(arguments.output, arrays)
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes; {shapes}")


def sample_arrays(data_dir: Path, per_class: dict[bool, int]) -> dict[str, NDArray[np.uint8]]:
    """Images and labels of both splits, by name."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for train, count in per_class.items():
        digits = load_digits(train, data_dir)
        chosen = first_of_each_class(digits, count)
        split = "train" if train else "test"
        arrays[f"{split}_images"] = digits.images.numpy()[chosen]
        arrays[f"{split}_labels"] = digits.labels[chosen].astype(np.uint8)
    return arrays


def first_of_each_class(digits: Digits, count: int) -> NDArray[np.int64]:
    """Indices of the first `count` digits of every class, in file order."""
    by_class = [np.flatnonzero(digits.labels == label)[:count] for label in range(N_CLASSES)]
    assert all(len(indices) == count for indices in by_class), "too few digits of a class"
    return np.sort(np.concatenate(by_class))


def write_archive(path: Path, arrays: dict[str, NDArray[np.uint8]]) -> None:
    """An .npz file that is the same at every time of day."""
    with atomic_writer(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
