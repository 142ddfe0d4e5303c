import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from pcm.data.digits import BUNDLED, SAMPLE, load_digits
from pcm.errors import PcmError

from .samples import idx_bytes, random_digits, write_mnist


@pytest.mark.parametrize(("train", "least"), [(True, 2000), (False, 500)])
def test_the_bundled_sample_is_balanced_and_real(train: bool, least: int) -> None:
    digits = load_digits(train, None)
    assert digits.source == BUNDLED
    assert digits.train is train
    assert len(digits) == len(digits.images) >= least
    assert digits.images.shape[1:] == (28, 28)
    assert digits.images.dtype == torch.uint8
    counts = np.bincount(digits.labels.astype(int))
    assert len(counts) == 10
    assert counts.min() == counts.max()
    # Handwriting is dark at the rim, where the set has its margin, and no two are alike.
    assert digits.images[:, [0, 27]].float().mean() < 1
    assert 25 < digits.images.float().mean() < 45
    assert len(np.unique(digits.images, axis=0)) == len(digits)


def test_the_bundled_digits_look_like_their_labels() -> None:
    train, test = load_digits(True, None), load_digits(False, None)
    classes = torch.from_numpy(train.labels).long()
    means = torch.stack([train.images[classes == digit].float().mean(0) for digit in range(10)])
    distances = torch.cdist(test.images.flatten(1).float(), means.flatten(1))
    right = distances.argmin(1).numpy() == test.labels
    assert right.mean() > 0.7


def test_train_and_test_share_no_digit() -> None:
    both = torch.cat([load_digits(True, None).images, load_digits(False, None).images])
    assert len(np.unique(both, axis=0)) == len(both)


def test_the_bundled_sample_is_small() -> None:
    assert SAMPLE.stat().st_size < 700_000


@pytest.mark.parametrize("compressed", [False, True])
def test_files_are_read_as_they_lie(data_dir: Path, compressed: bool) -> None:
    write_mnist(data_dir, train=30, test=20, compressed=compressed)
    for train, count in ((True, 30), (False, 20)):
        digits = load_digits(train, data_dir)
        assert torch.equal(digits.images, random_digits(count, seed=count).images)
        assert digits.labels.tolist() == [float(i % 10) for i in range(count)]
        assert str(data_dir) in digits.source


def test_an_empty_data_folder_gives_the_sample(data_dir: Path) -> None:
    (data_dir / "MNIST" / "raw").mkdir(parents=True)
    assert load_digits(True, data_dir).source == BUNDLED
    assert load_digits(True, data_dir / "nothing").source == BUNDLED


def test_a_missing_file_among_others_is_named(data_dir: Path) -> None:
    write_mnist(data_dir, train=30, test=20)
    (data_dir / "MNIST/raw/t10k-labels-idx1-ubyte").unlink()
    assert len(load_digits(True, data_dir)) == 30
    with pytest.raises(PcmError, match="neither t10k-labels-idx1-ubyte nor") as caught:
        load_digits(False, data_dir)
    assert str(data_dir) in caught.value.message


def test_a_truncated_file_is_an_error_and_not_the_sample(data_dir: Path) -> None:
    write_mnist(data_dir, train=30, test=20, compressed=True)
    path = data_dir / "MNIST/raw/train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PcmError) as caught:
        load_digits(True, data_dir)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("labels", [29, 31, 0])
def test_images_without_their_labels_are_an_error(data_dir: Path, labels: int) -> None:
    write_mnist(data_dir, train=30, test=20)
    path = data_dir / "MNIST/raw/train-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.zeros(labels, dtype=np.uint8)))
    with pytest.raises(PcmError, match="don't belong together"):
        load_digits(True, data_dir)


def test_a_label_beyond_9_is_an_error(data_dir: Path) -> None:
    write_mnist(data_dir, train=30, test=20)
    path = data_dir / "MNIST/raw/train-labels-idx1-ubyte.gz"
    path.with_suffix("").unlink()
    path.write_bytes(gzip.compress(idx_bytes(np.full(30, 10, dtype=np.uint8))))
    with pytest.raises(PcmError, match="labels"):
        load_digits(True, data_dir)


def test_fingerprints_tell_digits_apart() -> None:
    digits = random_digits(20)
    assert digits.fingerprint == random_digits(20).fingerprint
    assert digits.fingerprint == digits.to(torch.device("cpu")).fingerprint
    assert len({random_digits(20, seed=seed).fingerprint for seed in range(5)}) == 5
    relabelled = random_digits(20)
    relabelled.labels[3] += 1
    assert relabelled.fingerprint != digits.fingerprint
