"""Writing and reading checkpoint files: whole or not at all, and nothing but plain data."""

import errno
import hashlib
import os
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
from pcm.training.hyperparameters import with_plain_hyperparameters
from pcm.training.insisting import insist

_SCALARS = (np.bool_, np.int32, np.int64, np.float32, np.float64)


_LAST_CHANCES = ("end", "stop")
"""Reasons for a checkpoint after which training writes no other."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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
    manifest. An error of the disk leaves everything as it was, and is kept in `trouble`;
    what training ends with is tried again a few times before.

    Args:
        newest: the checkpoint that training starts from.
        before_commit: called before a checkpoint counts: what it relies on must be on disk.
        after_commit: called when it counts.
        make_room: called after an error for want of room that another try follows; tells what
            it removed.

    Attributes:
        newest: the last checkpoint that was written, or that training started from.
        trouble: why the last one could not be written; None if it was.
    """

    def __init__(
        self,
        newest: Path | None,
        before_commit: Callable[[], None],
        after_commit: Callable[[Manifest], None],
        make_room: Callable[[], Manifest | None] = lambda: None,
    ) -> None:
        self.newest = newest
        self.trouble: str | None = None
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._make_room = make_room
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
        target, facts = Path(path), storage_options
        checkpoint = with_plain_hyperparameters(checkpoint)
        if facts is None:
            facts = {"step": 0, "epoch": 0, "attempt": 0, "reason": "user"}

        def commit() -> None:
            self._commit(checkpoint, target, facts)

        def prepare(error: OSError) -> None:
            tell(f"warning: checkpoint {target} could not be written: {error}; trying again")
            if error.errno in _NO_ROOM and (removed := self._make_room()):
                tell(f"warning: checkpoint {removed.file} was removed to make room")

        try:
            if facts["reason"] in _LAST_CHANCES:
                insist(commit, prepare)
            else:
                commit()
        except OSError as error:
            tell(f"warning: checkpoint {target} could not be written: {error}")
            trouble: str | None = error.strerror or str(error)
        else:
            trouble = None
        # A callback of the user's own may write others, which nothing here goes on from.
        if storage_options is not None:
            self.trouble = trouble
            self.newest = target if trouble is None else self.newest

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

    def _commit(self, checkpoint: dict[str, Any], path: Path, facts: dict[str, Any]) -> None:
        """Write one file and its manifest; raises OSError with everything as it was."""
        try:
            make_folder(path.parent, exist_ok=True)
            size, sha256 = self._write(checkpoint, path)
            manifest = Manifest(path.name, sha256, size, time=time.time(), **facts)
            write_manifest(path.parent, manifest)
        except OSError:
            # One of the same name, from before somebody went back, counts until it is replaced.
            if not manifest_path(path).exists():
                remove(path)
            raise
        self._after_commit(manifest)

    def _write(self, checkpoint: dict[str, Any], path: Path) -> tuple[int, str]:
        """Put the file in its place, with no manifest; its size and sha256."""
        with atomic_writer(path) as stream:
            hashing = HashingStream(stream)
            try:
                torch.save(checkpoint, hashing)  # type: ignore[arg-type]  # needs write() alone
            except RuntimeError as error:
                # torch's writer turns the disk's error into its own.
                raise hashing.error or error from error
            stream.flush()
            os.fsync(stream.fileno())
            self._prove(Path(stream.name))
            self._before_commit()
            manifest_path(path).unlink(missing_ok=True)
        return hashing.size, hashing.sha256

    def _prove(self, path: Path) -> None:
        """Load the first file back: what can't be loaded must be known now, not at resume."""
        if self._is_proven:
            return
        try:
            load_plain(path)
        except OSError:
            raise
        except Exception as error:
            raise PcmError(
                f"the checkpoint could never be loaded again: {error}",
                "keep hyperparameters, state_dict() and on_save_checkpoint() to tensors, numbers,"
                " strings, lists and dicts",
            ) from error
        self._is_proven = True
