"""Hashing a file while it is written."""

import hashlib
from typing import BinaryIO


class HashingStream:
    """Hashes what is written through it, and keeps the error of a write that failed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write and hash at once: the file is never read again for its digest."""
        try:
            written = self._stream.write(data)
        except OSError as error:
            self.error = error
            raise
        self._hash.update(data)
        self.size += written
        return written

    def flush(self) -> None:
        """Nothing is held back here."""

    @property
    def sha256(self) -> str:
        """Of everything written so far."""
        return self._hash.hexdigest()
