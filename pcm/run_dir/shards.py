"""Shards of a checkpoint that all ranks wrote: a folder beside its file, committed with it."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pcm.run_dir.digests import sha256_of
from pcm.run_dir.files import fsync_folder


def shards_folder(checkpoint: Path) -> Path:
    """Where the shards of a checkpoint are; few have any."""
    return checkpoint.with_name(f"{checkpoint.name}.shards")


def count_states(shards: Path) -> int:
    """How many ranks DeepSpeed has written shards for; 0 where they are those of FSDP2, or none."""
    return len([*shards.glob("*_optim_states.pt")])


def find_fault_of_shards(checkpoint: Path, digests: Mapping[str, str]) -> str | None:
    """Why the shards aren't those that were written; None if they are.

    Raises:
        OSError: one cannot be read.
    """
    folder = shards_folder(checkpoint)
    for name, digest in digests.items():
        # What a manifest says is no path to follow.
        if Path(name).name != name or not (folder / name).is_file():
            return f"shard {name} is missing"
        if sha256_of(folder / name) != digest:
            return f"shard {name} has changed since it was written"
    return None


def remove_shards(checkpoint: Path) -> None:
    """Remove a checkpoint's shards, as far as they exist."""
    shutil.rmtree(shards_folder(checkpoint), ignore_errors=True)


@dataclass(frozen=True, slots=True)
class StagedShards:
    """Shards that are on the disk whole, in a folder of their own, and count for nothing yet.

    Attributes:
        digests: sha256 of each file in the folder.
    """

    folder: Path
    digests: dict[str, str]

    def install(self, checkpoint: Path) -> None:
        """Put them in their place; nothing is done where an earlier try has done it."""
        if self.folder.exists():
            remove_shards(checkpoint)
            self.folder.replace(shards_folder(checkpoint))
            fsync_folder(checkpoint.parent)

    def discard(self) -> None:
        """Remove those that were not installed."""
        with suppress(OSError):
            shutil.rmtree(self.folder)
