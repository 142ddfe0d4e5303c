"""An image as somebody orders it, looks into it or has it verified: with Apptainer, or refused."""

import os
from pathlib import Path

from launch.container.checks import require_apptainer
from launch.image.building import Builder
from launch.image.contents import Contents, VerifiedImage, contents, verify
from launch.image.kinds import Compression, Kind
from launch.image.project import Project
from launch.image.recipe import environment_stage, image_stage
from launch.image.record import Record
from launch.telling import Tell, say_nothing
from pcm.errors import UsageError


def build_image(
    target: str | Path,
    *,
    kind: Kind | str = Kind.GPU,
    base: str | None = None,
    wheels: str | Path | None = None,
    environment: str | Path | None = None,
    compression: Compression | str = Compression.ZSTD,
    test: bool = True,
    project: str | Path = ".",
    cache_dir: str | Path | None = None,
    tell: Tell = say_nothing,
) -> Record:
    """Build an image from a checkout; what is up to date is not built again.

    Args:
        kind: what the environment is for: `gpu`, `cpu` or `offline`.
        base: an image with Python to start from; else the definition's own.
        wheels: folder of wheels, for an offline environment.
        environment: one that is there already: an image or an unpacked folder.
        compression: `zstd`, `gzip` or `lz4`.
        test: let the image train a step before it is finished.
        project: the checkout.
        cache_dir: folder of environments; else `~/.cache/pcm/images`.
        tell: called with each line that Apptainer prints.

    Raises:
        RefusedError: Apptainer is missing or fails, or there is no checkout.
        UsageError: what is asked for doesn't go together or isn't there.
    """
    kind, compression = Kind(kind), Compression(compression)
    require_apptainer()
    checkout, image = Project.at(Path(project)), Path(target)
    if not image.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {image.parent} for the image")
    builder = Builder(Path(cache_dir) if cache_dir else _cache_dir(), tell)
    if environment is None:
        there = _environment(builder, checkout, kind, base, wheels)
    elif base is not None or wheels is not None:
        raise UsageError("--environment is all there: it goes with neither --base nor --wheels")
    elif not Path(environment).exists():
        raise UsageError(f"there is no environment {environment}")
    else:
        there = Path(environment)
    return builder.image(image_stage(checkout, there, compression, test=test), image)


def show_image(file: str | Path) -> Contents:
    """What is in an image: its size, digest, versions and commit. Reads all of it.

    Raises:
        NotFoundError: there is no such file.
        RefusedError: Apptainer is missing, or it is no image.
    """
    require_apptainer()
    return contents(Path(file))


def verify_image(file: str | Path, sha256: str | None = None) -> VerifiedImage:
    """Check that an image is what was built, and its signatures where it has some.

    Args:
        sha256: what it should be, or its beginning; else what the build wrote down.

    Raises:
        NotFoundError: there is no such file.
        RefusedError: Apptainer is missing, or it is another image, or nothing says what it
            should be.
    """
    require_apptainer()
    return verify(Path(file), sha256)


def _environment(
    builder: Builder, project: Project, kind: Kind, base: str | None, wheels: str | Path | None
) -> Path:
    folder = None if wheels is None else Path(wheels)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"there is no folder of wheels {folder}")
    return builder.environment(environment_stage(project, kind, base, folder))


def _cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pcm" / "images"
