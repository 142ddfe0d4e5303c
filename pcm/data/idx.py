"""IDX, the file format of MNIST: a magic number, the sizes, then the bytes themselves."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pcm.errors import PcmError

_UNSIGNED_BYTE = 0x08
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path, n_dims: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in `path`, which may be compressed with gzip.

    Raises:
        PcmError: the file can't be read, is cut short, or is something else.
    """
    content = _read(path)
    header = 4 + 4 * n_dims
    if content[:4] != bytes([0, 0, _UNSIGNED_BYTE, n_dims]) or len(content) < header:
        raise _unusable(path, f"not an IDX file of unsigned bytes in {n_dims} dimensions")
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], dtype=">u4"))
    found, expected = len(content) - header, prod(shape)
    if found != expected:
        raise _unusable(path, f"holds {found:,} bytes of data where its header says {expected:,}")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _unusable(path, "the compressed data is damaged or cut short") from error
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _unusable(path: Path, problem: str) -> PcmError:
    return PcmError(f"{path}: {problem}", hint="delete the file and fetch it again")
