"""Which file an image is, whatever its name: its sha256."""

import os
from dataclasses import replace

from launch.container.settings import Container
from pcm.errors import RefusedError
from pcm.run_dir.digests import sha256_of


def with_digest(container: Container) -> Container:
    """The container with what its image is now. Reads the whole file."""
    if container.image.is_dir():
        return container
    facts = container.image.stat()
    digest = sha256_of(container.image)
    return replace(_stamped(container, facts), sha256=digest)


def require_same_image(container: Container) -> None:
    """Make sure that the image is the one that was there at the launch.

    The whole file is read, unless its size and times are those of the launch: one who changes it
    can set its modification time, but not the time of that change.

    Raises:
        RefusedError: it is gone, or another one.
    """
    if container.sha256 is None and container.image.is_dir():
        return
    try:
        facts = container.image.stat()
        if _stamped(container, facts) == container:
            return
        found = sha256_of(container.image)
    except OSError as error:
        raise RefusedError(
            f"image {container.image} can't be read: {error.strerror}",
            hint="put it back, or launch the grid again with the image that there is",
        ) from None
    require_digest(container, found)


def require_digest(container: Container, found: str) -> None:
    """Make sure that what was read is the image of the launch.

    Raises:
        RefusedError: it is another one.
    """
    if found != container.sha256:
        raise RefusedError(
            f"image {container.image} has changed since the launch: its sha256 was "
            f"{short(container.sha256)}, now it is {short(found)}",
            hint="put the former one back, or launch the grid again to go on with the new one",
        )


def _stamped(container: Container, facts: os.stat_result) -> Container:
    """The container with all that tells its file from another one without reading it."""
    return replace(
        container, size=facts.st_size, modified=facts.st_mtime_ns, changed=facts.st_ctime_ns
    )


def short(digest: str | None) -> str:
    """The beginning of a digest, for people."""
    return "unknown" if digest is None else digest[:12]
