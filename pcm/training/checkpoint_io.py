"""Writing and reading checkpoint files: whole or not at all, and nothing but plain data."""

import hashlib
import pathlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from lightning.fabric.plugins.io import CheckpointIO

from pcm.console import tell
from pcm.errors import PcmError
from pcm.run_dir import atomic_writer
from pcm.run_dir.checkpoints import Manifest, manifest_path, remove, write_manifest
from pcm.run_dir.trust import make_folder

_SCALARS = (np.bool_, np.int32, np.int64, np.float32, np.float64)


def _harmless() -> list[Any]:
    """Types that people put into hyperparameters, and that can do nothing when loaded."""
    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in _SCALARS]
    return [pathlib.PosixPath, pathlib.PurePosixPath, np.dtype, scalar, *dtypes]


def load_plain(path: Path) -> dict[str, Any]:
    """Load a checkpoint onto the CPU without running any code that it may carry."""
    with torch.serialization.safe_globals(_harmless()):
        loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


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


class CheckpointFiles(CheckpointIO):
    """Lightning's way to the disk, on rank 0 for saving.

    A file is written beside its target, flushed, renamed, and only then committed by its
    manifest. A full disk leaves everything as it was, and training goes on.

    Args:
        newest: the checkpoint that training starts from.
        before_commit: called before a checkpoint counts: what it relies on must be on disk.
        after_commit: called when it counts.

    Attributes:
        newest: the last checkpoint that was written, or that training started from.
    """

    def __init__(
        self,
        newest: Path | None,
        before_commit: Callable[[], None],
        after_commit: Callable[[Manifest], None],
    ) -> None:
        self.newest = newest
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._is_proven = False

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write one file and its manifest.

        Args:
            storage_options: the manifest's fields besides file, sha256, size and time.

        Raises:
            PcmError: the content could never be loaded again.
        """
        path = Path(path)
        facts = storage_options or {"step": 0, "epoch": 0, "attempt": 0, "reason": "user"}
        try:
            make_folder(path.parent, exist_ok=True)
            # What this replaces is not whole, or training would have started from it.
            manifest_path(path).unlink(missing_ok=True)
            size, sha256 = _write(checkpoint, path)
            self._prove(path)
            manifest = Manifest(path.name, sha256, size, time=time.time(), **facts)
            self._before_commit()
            write_manifest(path.parent, manifest)
        except OSError as error:
            tell(f"warning: checkpoint {path} could not be written: {error}; training goes on")
            remove(path)
        else:
            self.newest = path
            self._after_commit(manifest)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,  # noqa: ARG002 - Lightning's signature
        weights_only: bool | None = None,  # noqa: ARG002 - Lightning's signature
    ) -> dict[str, Any]:
        """Load one file onto the CPU; its manifest was verified when it was chosen."""
        return load_plain(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a file and its manifest."""
        remove(Path(path))

    def _prove(self, path: Path) -> None:
        """Load the first file back: what can't be loaded must be known now, not at resume."""
        if self._is_proven:
            return
        try:
            load_plain(path)
        except Exception as error:
            remove(path)
            raise PcmError(
                f"the checkpoint could never be loaded again: {error}",
                "keep hyperparameters, state_dict() and on_save_checkpoint() to tensors, numbers,"
                " strings, lists and dicts",
            ) from error
        self._is_proven = True


def _write(checkpoint: dict[str, Any], path: Path) -> tuple[int, str]:
    with atomic_writer(path) as stream:
        hashing = HashingStream(stream)
        try:
            torch.save(checkpoint, hashing)  # type: ignore[arg-type]  # needs write() alone
        except RuntimeError as error:
            # torch's writer turns the disk's error into its own.
            raise hashing.error or error from error
    return hashing.size, hashing.sha256
