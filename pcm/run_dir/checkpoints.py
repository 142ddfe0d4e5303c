"""Checkpoints on disk: which there are, whether they are whole, which to take, which to keep."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pcm.console import tell
from pcm.errors import NotFoundError, PcmError
from pcm.run_dir.checkpoint_names import own_checkpoint
from pcm.run_dir.checkpointing import DEFAULTS, Checkpointing, Mode, monitored_value
from pcm.run_dir.digests import sha256_of
from pcm.run_dir.shards import find_fault_of_shards, remove_shards
from pcm.run_dir.typed_json import LEFT_OUT, read, write

Warn = Callable[[str], None]

BY_USER = "user"
"""The reason of a checkpoint that a callback of the user's own wrote."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a checkpoint without opening it.

    Attributes:
        file: its name in the folder.
        size: in bytes.
        step: training batches done.
        epoch: the epoch that was running, or had just ended; from 0.
        time: seconds since 1970.
        metrics: of the validation just before; empty without one.
        reason: epoch, interval, stop or end; user for one that a callback of the user's own
            wrote, from which nothing goes on and which nobody but that callback removes.
        shards: sha256 of each file in the folder of its shards; None where one file has all.
    """

    file: str
    sha256: str
    size: int
    step: int
    epoch: int
    attempt: int
    time: float
    reason: str
    metrics: dict[str, float] = field(default_factory=dict)
    shards: dict[str, str] | None = field(default=None, metadata=LEFT_OUT)

    def monitored(self, names: Sequence[str]) -> float | None:
        """What best is judged by: the first metric that exists; None without a finite one."""
        return monitored_value(self.metrics, names)


def manifest_path(checkpoint: Path) -> Path:
    """Where the manifest of a checkpoint is."""
    return checkpoint.with_name(f"{checkpoint.name}.json")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Commit a checkpoint: before this, it doesn't count."""
    write(manifest_path(folder / manifest.file), manifest)


def read_manifests(folder: Path, warn: Warn = tell) -> list[Manifest]:
    """All readable manifests, newest first; `warn` hears of the others.

    A later attempt's are newer whatever their step: it may have gone back on request.
    """
    found = [read_manifest(path, warn) for path in folder.glob("*.ckpt.json")]
    whole = [manifest for manifest in found if manifest is not None]
    return sorted(whole, key=lambda m: (m.attempt, m.step, m.time), reverse=True)


def read_own_manifests(folder: Path, warn: Warn = tell) -> list[Manifest]:
    """Those of pcm's own checkpoints, from which training goes on."""
    return [each for each in read_manifests(folder, warn) if each.reason != BY_USER]


def read_manifest(path: Path, warn: Warn = tell) -> Manifest | None:
    """The manifest in a file; None, and a warning, if it is none."""
    found = read(Manifest, path)
    if isinstance(found, Manifest) and found.file == own_checkpoint(path):
        return found
    if isinstance(found, Manifest):
        warn(f"warning: {path} tells of another file ({found.file!r}); it is left out")
        return None
    fault = "it is missing" if found is None else found.reason
    warn(f"warning: {path} is no manifest of a checkpoint ({fault}); it is left out")
    return None


def find_fault(folder: Path, manifest: Manifest) -> str | None:
    """Why the checkpoint isn't the one that was written; None if it is."""
    path = folder / manifest.file
    try:
        if not path.exists():
            return "it cannot be read: its manifest is there, its file is missing"
        size = path.stat().st_size
        if size != manifest.size:
            return f"it has {size} bytes instead of {manifest.size}"
        if sha256_of(path) != manifest.sha256:
            return "its content has changed since it was written"
        return find_fault_of_shards(path, manifest.shards or {})
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def best_first(manifests: Iterable[Manifest], wanted: Checkpointing) -> list[Manifest]:
    """Those that can be judged, the best first."""
    judged = [
        (value, manifest)
        for manifest in manifests
        if (value := manifest.monitored(wanted.monitored)) is not None
    ]
    sign = -1 if wanted.mode is Mode.MAX else 1
    return [manifest for _, manifest in sorted(judged, key=lambda pair: sign * pair[0])]


def find_checkpoint(
    folder: Path, name: str | None, wanted: Checkpointing = DEFAULTS
) -> Path | None:
    """The checkpoint to start from.

    Args:
        wanted: says which is the best.
        name: a file name, with or without `.ckpt`, also in the spelling
            `epoch=1-step-1876.ckpt`; `best`; `last`; or None for the newest that is whole,
            and nothing if there is none.

    Raises:
        NotFoundError: there is no such checkpoint.
        PcmError: the one named is not whole.
    """
    manifests = read_own_manifests(folder)
    if name is None or name == "last":
        chosen = _newest_whole(folder, manifests)
    elif name == "best":
        chosen = next(iter(best_first(manifests, wanted)), None)
    else:
        file = file_name(name)
        chosen = next((m for m in manifests if m.file == file), None)
    if chosen is None:
        if name is not None:
            raise _no_such(folder, name, manifests, wanted)
        return None
    if name not in (None, "last"):
        _refuse_faulty(folder, chosen)
    return folder / chosen.file


def _newest_whole(folder: Path, manifests: list[Manifest]) -> Manifest | None:
    for manifest in manifests:
        fault = find_fault(folder, manifest)
        if fault is None:
            return manifest
        tell(f"warning: checkpoint {folder / manifest.file} is not whole: {fault}")
    if manifests:
        tell("warning: no checkpoint is whole")
    return None


def _refuse_faulty(folder: Path, manifest: Manifest) -> None:
    fault = find_fault(folder, manifest)
    if fault is not None:
        raise PcmError(
            f"checkpoint {folder / manifest.file} is not whole: {fault}",
            "resume with --checkpoint last, which takes the newest that is whole",
        )


def file_name(name: str) -> str:
    """A checkpoint's file by the name that a person wrote, also `epoch=1-step-1876`."""
    stem = name.removesuffix(".ckpt").replace("-step-", "-step=")
    return f"{stem}.ckpt"


def _no_such(
    folder: Path, name: str, manifests: list[Manifest], wanted: Checkpointing
) -> NotFoundError:
    if (folder / file_name(name)).exists():
        path = manifest_path(folder / file_name(name))
        if isinstance(manifest := read(Manifest, path), Manifest) and manifest.reason == BY_USER:
            return NotFoundError(
                f"checkpoint {folder / file_name(name)} was written by a callback of your own: it"
                " has weights, and no place to continue from",
                "resume with --checkpoint last, which takes the newest of pcm's own",
            )
        fault = read(Manifest, path) or "it is missing, so nobody knows whether the file is whole"
        return NotFoundError(
            f"checkpoint {folder / file_name(name)} is without its manifest {path.name}: {fault}",
            "resume with --checkpoint last, which takes the newest that is whole",
        )
    names = ", ".join(manifest.file for manifest in manifests) or "none at all"
    what = f"one with {' or '.join(wanted.monitored)}" if name == "best" else repr(name)
    return NotFoundError(f"no checkpoint {what} in {folder}", f"there is {names}")


def prune(folder: Path, wanted: Checkpointing = DEFAULTS) -> None:
    """Keep the newest and the best; remove the others and what kills left behind."""
    manifests = read_own_manifests(folder)
    best = best_first(manifests, wanted)[: wanted.keep_best]
    for manifest in manifests[wanted.keep :]:
        if not any(manifest is each for each in best):
            # A checkpoint without a manifest is nothing; a manifest without one is a fault.
            remove(folder / manifest.file)
    _remove_leftovers(folder)


def make_room(folder: Path, wanted: Checkpointing = DEFAULTS) -> Manifest | None:
    """Remove the oldest checkpoint that is none of the best, nor the newest whole one.

    Returns:
        The one that was removed; None where there was none to spare.
    """
    _remove_leftovers(folder)
    manifests = read_own_manifests(folder)
    newest = next((each for each in manifests if find_fault(folder, each) is None), None)
    needed = [newest, *best_first(manifests, wanted)[: wanted.keep_best]]
    spare = [each for each in manifests if not any(each is other for other in needed)]
    if not spare:
        return None
    remove(folder / spare[-1].file)
    return spare[-1]


def _remove_leftovers(folder: Path) -> None:
    """Remove what kills left behind; there is one writer, and it writes nothing now."""
    for leftover in folder.glob(".*.tmp"):
        with suppress(OSError):
            # Shards are written into a folder.
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint, its manifest and its shards, as far as they exist."""
    for path in (manifest_path(checkpoint), checkpoint):
        with suppress(OSError):
            path.unlink()
    remove_shards(checkpoint)
