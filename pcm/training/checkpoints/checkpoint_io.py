"""Writing and reading checkpoint files: whole or not at all, and nothing but plain data.

Training stands still while its state is copied; a thread writes the copy while it goes on.
"""

import os
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io import CheckpointIO

from pcm.console import tell
from pcm.errors import PcmError
from pcm.internals.snapshot import Snapshot, Snapshots
from pcm.rank.insisting import insist
from pcm.run_dir import atomic_writer
from pcm.run_dir.checkpoints import BY_USER, Manifest, manifest_path, remove, write_manifest
from pcm.run_dir.files import NO_ROOM
from pcm.run_dir.shards import StagedShards, count_states, shards_folder
from pcm.run_dir.trust import make_folder
from pcm.training.checkpoints.hashing import HashingStream
from pcm.training.checkpoints.hook_entries import HookEntries
from pcm.training.checkpoints.hyperparameters import with_plain_hyperparameters
from pcm.training.checkpoints.loading_plain import load_plain
from pcm.training.checkpoints.memory import available_memory

LAST_CHANCES = ("end", "stop")
"""Reasons for a checkpoint after which training writes no other."""

_USERS = {"step": 0, "epoch": 0, "attempt": 0, "reason": BY_USER}
"""Facts of a checkpoint that a callback of the user's own writes."""


@dataclass(frozen=True, slots=True)
class Sharded:
    """A checkpoint whose weights and optimizers are in shards already; the rest is in one file."""

    rest: dict[str, Any]
    shards: StagedShards


Content = dict[str, Any] | Snapshot | Sharded


_UNSAFE = re.compile(r"Unsupported \w+: GLOBAL (\S+)")


class CheckpointFiles(CheckpointIO):
    """Lightning's way to the disk, on rank 0 for saving.

    A file is written beside its target, flushed, renamed, and only then committed by its
    manifest. An error of the disk leaves everything as it was, and is kept in `trouble`;
    what training ends with is tried again a few times before.

    In the midst of training a thread writes: `finish` waits for it. One is in flight at a time.

    Args:
        newest: the checkpoint that training starts from.
        before_commit: called before a checkpoint counts: what it relies on must be on disk.
        after_commit: called when it counts.
        make_room: called after an error for want of room that another try follows; tells what
            it removed.
        after_save: called with `trouble` when one is written, or could not be.
        room: bytes of memory that a copy may take.

    The functions are called in the thread where one writes.

    Attributes:
        newest: the last checkpoint that was written, or that training started from.
        trouble: why the last one could not be written; None if it was.
        entries: leaves out what the module's hook adds and can't be loaded; None to refuse it.
    """

    def __init__(
        self,
        newest: Path | None,
        before_commit: Callable[[], None],
        after_commit: Callable[[Manifest], None],
        make_room: Callable[[], Manifest | None] = lambda: None,
        *,
        after_save: Callable[[str | None], None] = lambda _: None,
        room: Callable[[], int] = lambda: available_memory() // 2,
    ) -> None:
        self.newest = newest
        self.trouble: str | None = None
        self.entries: HookEntries | None = None
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._make_room = make_room
        self._after_save = after_save
        self._snapshots = Snapshots(room)
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._in_flight: Future[None] | None = None
        self._is_proven = False
        self._has_told = False

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write one file and its manifest, or begin to.

        Args:
            storage_options: the manifest's fields besides file, sha256, size and time.

        Raises:
            PcmError: the content, or that of the one before, could never be loaded again.
        """
        self.finish()
        target, facts = Path(path), storage_options
        checkpoint = with_plain_hyperparameters(checkpoint)
        if self.entries is not None:
            checkpoint = self.entries.without(checkpoint)
        if facts is None:
            # A callback of the user's own writes it, and nothing here goes on from it.
            self._try_to_write(checkpoint, target, _USERS)
        elif facts["reason"] in LAST_CHANCES:
            self._save(checkpoint, target, facts)
        elif snapshot := self._copied(checkpoint):
            self._in_flight = self._thread.submit(self._save, snapshot, target, facts)
        else:
            self._save(checkpoint, target, facts)

    def save_with_shards(
        self, checkpoint: Sharded, path: str | Path, facts: dict[str, Any] | None
    ) -> None:
        """Commit shards that all ranks have written, with the rest; training waits for it."""
        whole = Sharded(with_plain_hyperparameters(checkpoint.rest), checkpoint.shards)
        if facts is None:
            self._try_to_write(whole, Path(path), _USERS)
        else:
            self._save(whole, Path(path), facts)

    def note_failure(self, path: str | Path, error: OSError, facts: dict[str, Any] | None) -> None:
        """Tell that a checkpoint could not be written, by whichever rank."""
        trouble = _tell_failure(Path(path), error)
        if facts is not None:
            self.trouble = trouble
            self._after_save(trouble)

    def prepare_retry(self, path: str | Path, error: OSError) -> None:
        """Before what training ends with is tried again: tell, and make room where that helps."""
        tell(f"warning: checkpoint {path} could not be written: {error}; trying again")
        if error.errno in NO_ROOM and (removed := self._make_room()):
            tell(f"warning: checkpoint {removed.file} was removed to make room")

    def finish(self) -> None:
        """Wait until the checkpoint in flight is whole, or has failed.

        Raises:
            PcmError: its content could never be loaded again.
        """
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is not None:
            in_flight.result()

    def close(self) -> None:
        """Finish, when training has ended whichever way; tell what was wrong."""
        try:
            self.finish()
        except PcmError as error:
            tell(f"warning: {error}")
        self._thread.shutdown()

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Callable[..., Any] | None = None,  # noqa: ARG002 - Lightning's signature
        weights_only: bool | None = None,  # noqa: ARG002 - Lightning's signature
    ) -> dict[str, Any]:
        """Load one file onto the CPU; its manifest was verified when it was chosen.

        Raises:
            PcmError: its weights are in shards, and this training has none.
        """
        if (shards := shards_folder(Path(path))).exists():
            writer = "strategy: deepspeed" if count_states(shards) else "strategy: fsdp2"
            raise PcmError(
                f"checkpoint {path} is in shards, and `{writer}` alone goes on from those",
                f"keep `{writer}`; Result.load() has the weights as a whole",
            )
        loaded = load_plain(Path(path))
        return loaded if self.entries is None else self.entries.added_to(loaded)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a file, its manifest and its shards."""
        remove(Path(path))

    def _copied(self, checkpoint: dict[str, Any]) -> Snapshot | None:
        """A copy to write while training goes on; None without the memory for it."""
        snapshot = self._snapshots.take(checkpoint)
        if snapshot is None and not self._has_told:
            self._has_told = True
            tell("warning: no memory for a copy of the state: training waits for its checkpoints")
        return snapshot

    def _save(self, content: Content, target: Path, facts: dict[str, Any]) -> None:
        """Write one of training's own, and note how it went."""
        self.trouble = self._try_to_write(content, target, facts)
        if self.trouble is None:
            self.newest = target
        self._after_save(self.trouble)

    def _try_to_write(self, content: Content, target: Path, facts: dict[str, Any]) -> str | None:
        """Why it could not be written; None if it was."""
        commit = partial(self._commit, content, target, facts)
        try:
            if facts["reason"] in LAST_CHANCES:
                insist(commit, partial(self.prepare_retry, target))
            else:
                commit()
        except OSError as error:
            if isinstance(content, Sharded):
                content.shards.discard()
                self._remove_uncommitted(target)
            return _tell_failure(target, error)
        return None

    def _commit(self, content: Content, path: Path, facts: dict[str, Any]) -> None:
        """Write one file and its manifest; raises OSError with everything as it was."""
        try:
            make_folder(path.parent, exist_ok=True)
            size, sha256 = self._write(content, path)
            shards = content.shards.digests if isinstance(content, Sharded) else None
            manifest = Manifest(path.name, sha256, size, time=time.time(), shards=shards, **facts)
            write_manifest(path.parent, manifest)
        except OSError:
            # Shards stay for another try: nobody writes them again.
            if not isinstance(content, Sharded):
                self._remove_uncommitted(path)
            raise
        self._after_commit(manifest)

    def _remove_uncommitted(self, path: Path) -> None:
        # One of the same name, from before somebody went back, counts until it is replaced.
        if not manifest_path(path).exists():
            remove(path)

    def _write(self, content: Content, path: Path) -> tuple[int, str]:
        """Put the file in its place, with no manifest; its size and sha256."""
        with atomic_writer(path) as stream:
            hashing = HashingStream(stream)
            try:
                if isinstance(content, Snapshot):
                    content.write(hashing)
                else:
                    one = content.rest if isinstance(content, Sharded) else content
                    torch.save(one, hashing)  # type: ignore[arg-type]  # needs write() alone
            except RuntimeError as error:
                # torch's writer turns the disk's error into its own.
                raise hashing.error or error from error
            stream.flush()
            os.fsync(stream.fileno())
            self._prove(Path(stream.name))
            self._before_commit()
            manifest_path(path).unlink(missing_ok=True)
            if isinstance(content, Sharded):
                content.shards.install(path)
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
                f"the checkpoint could never be loaded again: {_objection(error)}",
                "keep what state_dict() and on_save_checkpoint() add to tensors, numbers, strings,"
                " lists and dicts; or call torch.serialization.add_safe_globals() with such a"
                " class where the model's class is",
            ) from error
        self._is_proven = True


def _objection(error: Exception) -> str:
    """What torch has against a file, without the page that it has to say about it."""
    found = _UNSAFE.search(str(error))
    return str(error) if found is None else f"it has {found[1]} in it, which might run any code"


def _tell_failure(target: Path, error: OSError) -> str:
    tell(f"warning: checkpoint {target} could not be written: {error}")
    return error.strerror or str(error)
