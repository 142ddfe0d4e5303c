"""Checkpoints on disk: which there are, whether they are whole, which to take, which to keep."""

import hashlib
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pcm.console import tell
from pcm.errors import NotFoundError, PcmError
from pcm.run_dir.typed_json import read, write

MONITORED = ("val/loss", "val_loss")
"""The metric, the first that exists, whose smallest value makes a checkpoint the best."""

_KEPT = 2

Warn = Callable[[str], None]


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
        reason: epoch, interval, stop or end.
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

    @property
    def monitored(self) -> float:
        """What best is judged by; infinite where there is no such metric."""
        values = (self.metrics[name] for name in MONITORED if name in self.metrics)
        value = next(values, math.inf)
        return math.inf if math.isnan(value) else value


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


def read_manifest(path: Path, warn: Warn = tell) -> Manifest | None:
    """The manifest in a file; None, and a warning, if it is none."""
    found = read(Manifest, path)
    if isinstance(found, Manifest):
        return found
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
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if digest == manifest.sha256 else "its content has changed since it was written"


def find_checkpoint(folder: Path, name: str | None) -> Path | None:
    """The checkpoint to start from.

    Args:
        name: a file name, with or without `.ckpt`, also in the spelling
            `epoch=1-step-1876.ckpt`; `best`; `last`; or None for the newest that is whole,
            and nothing if there is none.

    Raises:
        NotFoundError: there is no such checkpoint.
        PcmError: the one named is not whole.
    """
    manifests = read_manifests(folder)
    if name is None or name == "last":
        chosen = _newest_whole(folder, manifests)
    elif name == "best":
        judged = [manifest for manifest in manifests if math.isfinite(manifest.monitored)]
        chosen = min(judged, key=lambda manifest: manifest.monitored, default=None)
    else:
        wanted = file_name(name)
        chosen = next((m for m in manifests if m.file == wanted), None)
    if chosen is None:
        if name is not None:
            raise _no_such(folder, name, manifests)
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


def _no_such(folder: Path, name: str, manifests: list[Manifest]) -> NotFoundError:
    if (folder / file_name(name)).exists():
        path = manifest_path(folder / file_name(name))
        fault = read(Manifest, path) or "it is missing, so nobody knows whether the file is whole"
        return NotFoundError(
            f"checkpoint {folder / file_name(name)} is without its manifest {path.name}: {fault}",
            "resume with --checkpoint last, which takes the newest that is whole",
        )
    names = ", ".join(manifest.file for manifest in manifests) or "none at all"
    what = f"one with {' or '.join(MONITORED)}" if name == "best" else repr(name)
    return NotFoundError(f"no checkpoint {what} in {folder}", f"there is {names}")


def prune(folder: Path) -> None:
    """Keep the newest two and the best; remove the others and what kills left behind."""
    manifests = read_manifests(folder)
    best = min(manifests, key=lambda manifest: manifest.monitored, default=None)
    for manifest in manifests[_KEPT:]:
        if manifest is not best:
            # A checkpoint without a manifest is nothing; a manifest without one is a fault.
            remove(folder / manifest.file)
    for leftover in folder.glob(".*.tmp"):
        with suppress(OSError):
            leftover.unlink()


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint and its manifest, as far as they exist."""
    for path in (manifest_path(checkpoint), checkpoint):
        with suppress(OSError):
            path.unlink()
