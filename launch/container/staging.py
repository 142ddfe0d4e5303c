"""One copy of an image on a node's own disk, so that ranks don't all read a shared file system.

STAGE/pcm-images-UID/
  SHA256.sif     an image; its time is when it was last given out
  SHA256.part    what a killed process has left of a copy
  lock           held by whoever copies or cleans up; the kernel lets go of it for the dead

Removing an image that training runs in does no harm: the file is there for as long as it is open.
"""

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock

from launch.container.digest import require_digest
from launch.container.settings import Container

KEPT_S = 7 * 24 * 3600.0
"""Images that nobody has used for so long are removed."""

OPENING_S = 600.0
"""An image that was given out so recently may not have been opened yet."""

MARGIN = 1 << 30
"""Bytes that stay free for what training itself writes."""

PATIENCE_S = 600.0
"""For another rank's copy; less than ranks wait for one another."""

_CHUNK = 1 << 22


class _NotStagedError(Exception):
    """Why there is no copy."""


def staged(
    container: Container, tell: Callable[[str], None], is_given_up: Callable[[], bool]
) -> Container:
    """The container with its image on this node's own disk, copied there unless it is already.

    Where that can't be, the image stays where it is.

    Args:
        tell: called with what a person may want to know.
        is_given_up: asked while copying: whether training is to stop anyway.

    Raises:
        RefusedError: the image is not the one of the launch any more.
    """
    if container.stage is None or container.image.is_dir():
        return container
    try:
        folder = _own_folder(container.stage)
        with filelock.FileLock(folder / "lock", timeout=PATIENCE_S):
            return replace(container, image=_copy_in(folder, container, tell, is_given_up))
    except filelock.Timeout:
        reason = f"another job has been copying to {folder} for {PATIENCE_S:.0f} s"
    except _NotStagedError as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.strerror} in {container.stage}"
    tell(f"the image is used where it is, and not copied to this node: {reason}")
    return container


def _own_folder(stage: str) -> Path:
    """Our folder on this node. In a place like /tmp, somebody else could have made it for us."""
    parent = os.path.expandvars(stage)
    if not parent.startswith("/") or "$" in parent:
        raise _NotStagedError(f"`stage: {stage}` is no absolute path here")
    folder = Path(parent) / f"pcm-images-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    is_ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    if not is_ours or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _NotStagedError(f"others could write to {folder}")
    return folder


def _copy_in(
    folder: Path,
    container: Container,
    tell: Callable[[str], None],
    is_given_up: Callable[[], bool],
) -> Path:
    """The image in our folder; whole, since only whole copies get its name."""
    image, size = folder / f"{container.sha256}.sif", container.size or 0
    if image.exists() and image.stat().st_size == size:
        os.utime(image)
        _clean_up(folder, needed=0)
        return image
    image.unlink(missing_ok=True)
    _clean_up(folder, needed=size + MARGIN)
    started = time.monotonic()
    part = image.with_suffix(".part")
    try:
        require_digest(container, _copy(container.image, part, is_given_up))
        part.rename(image)
    finally:
        part.unlink(missing_ok=True)
    tell(f"the image was copied to {image} in {time.monotonic() - started:.1f} s")
    return image


def _clean_up(folder: Path, needed: int) -> None:
    """Remove torn copies and what nobody uses; for room, what was used longest ago.

    Raises:
        _NotStagedError: there is too little room all the same.
    """
    for part in folder.glob("*.part"):
        part.unlink()
    used = {image: image.stat().st_mtime for image in folder.glob("*.sif")}
    for image, when in sorted(used.items(), key=lambda item: item[1]):
        age = time.time() - when
        if age > KEPT_S or (age > OPENING_S and _free(folder) < needed):
            image.unlink()
    free = _free(folder)
    if free < needed:
        raise _NotStagedError(
            f"{folder} has {free >> 20:,} MB free, and {needed >> 20:,} MB are needed"
        )


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _copy(source: Path, target: Path, is_given_up: Callable[[], bool]) -> str:
    """Copy a file durably; returns the sha256 of what was copied.

    Raises:
        _NotStagedError: it is given up.
    """
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            if is_given_up():
                raise _NotStagedError("a stop was asked for")
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()
