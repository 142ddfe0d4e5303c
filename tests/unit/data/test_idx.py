import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pcm.data.idx import read_idx
from pcm.errors import PcmError

from .samples import idx_bytes

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_was_written_is_read(data_dir: Path, pack: Callable[[bytes], bytes]) -> None:
    path = data_dir / "images"
    path.write_bytes(pack(idx_bytes(IMAGES)))
    assert np.array_equal(read_idx(path, 3), IMAGES)


def test_no_images_are_an_empty_array(data_dir: Path) -> None:
    path = data_dir / "images"
    path.write_bytes(idx_bytes(IMAGES[:0]))
    assert read_idx(path, 3).shape == (0, 3, 4)


PLAIN = idx_bytes(IMAGES)
PACKED = gzip.compress(PLAIN, mtime=0)  # the time would make test names differ by run


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not an IDX file"),
        (PLAIN[:3], "not an IDX file"),
        (PLAIN[:10], "not an IDX file"),
        (idx_bytes(IMAGES[0]), "not an IDX file of unsigned bytes in 3 dimensions"),
        (b"\x00\x00\x0d\x03" + PLAIN[4:], "not an IDX file"),
        (b"<html>moved</html>", "not an IDX file"),
        (PLAIN[:-1], "holds 23 bytes of data where its header says 24"),
        (PLAIN + b"!", "holds 25 bytes of data where its header says 24"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "holds 0 bytes of data where its header says 79,228"),
        (PACKED[:-9], "damaged or cut short"),
        (PACKED[:15], "damaged or cut short"),
        (PACKED[:15] + b"\xff" * 8 + PACKED[23:], "damaged or cut short"),
        (PACKED[:-8] + b"\x00" * 8, "damaged or cut short"),
    ],
)
def test_a_damaged_file_is_named(data_dir: Path, content: bytes, problem: str) -> None:
    path = data_dir / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(PcmError) as caught:
        read_idx(path, 3)
    assert str(path) in caught.value.message
    assert problem in caught.value.message
    assert caught.value.hint is not None


def test_a_folder_or_nothing_in_its_place_is_named(data_dir: Path) -> None:
    for path in (data_dir, data_dir / "nothing"):
        with pytest.raises(PcmError) as caught:
            read_idx(path, 3)
        assert str(path) in caught.value.message
