"""What is in an image, and whether it is what it should be."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from launch.container.command import APPTAINER
from launch.damage import DamagedError
from launch.image.record import Record, record_path
from pcm.errors import NotFoundError, RefusedError
from pcm.run_dir.digests import sha256_of
from pcm.run_dir.typed_json import Damaged, read

_PREFIX = "pcm."


@dataclass(frozen=True, slots=True)
class Contents:
    """What an image holds.

    Attributes:
        size: bytes.
        labels: pcm's own: version, schema, commit, key, and versions of packages.
    """

    path: Path
    size: int
    sha256: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class VerifiedImage:
    """An image that was found good.

    Attributes:
        signed: whether it has signatures, all of which hold.
    """

    sha256: str
    signed: bool


def contents(image: Path) -> Contents:
    """Look into an image. Reads all of it for its digest.

    Raises:
        NotFoundError: there is no such file.
        RefusedError: it is no image.
    """
    _require_file(image)
    answer = json.loads(_apptainer("inspect", "--json", "--labels", str(image.absolute())))
    labels = answer["data"]["attributes"]["labels"] or {}
    own = {
        name.removeprefix(_PREFIX): value
        for name, value in sorted(labels.items())
        if name.startswith(_PREFIX)
    }
    return Contents(image, image.stat().st_size, sha256_of(image), own)


def verify(image: Path, expected: str | None = None) -> VerifiedImage:
    """Compare an image with its digest and, where it is signed, have the signatures checked.

    Args:
        expected: the sha256, or its beginning; None for the one that the build wrote down.

    Raises:
        NotFoundError: there is no such file.
        RefusedError: it is another file, a signature does not hold, or there is no digest
            to compare with.
    """
    _require_file(image)
    wanted = expected or _recorded(image)
    found = sha256_of(image)
    if not found.startswith(wanted.lower()):
        raise RefusedError(
            f"{image} is not the image that it should be: its sha256 is {found}, not {wanted}",
            hint="copy it again, or build it again",
        )
    signed = "|Signature" in _apptainer("sif", "list", str(image.absolute())).replace(" ", "")
    if signed:
        _apptainer("verify", "--all", str(image.absolute()))
    return VerifiedImage(found, signed)


def _recorded(image: Path) -> str:
    record = read(Record, record_path(image))
    if isinstance(record, Damaged):
        raise DamagedError(record)
    if record is None:
        raise RefusedError(
            f"nothing says what {image} should be: there is no {image.name}.json beside it",
            hint="name the digest: pcm image verify IMAGE --sha256 DIGEST",
        )
    return record.sha256


def _require_file(image: Path) -> None:
    if not image.is_file():
        raise NotFoundError(f"there is no image {image}", hint="pcm image build makes one")


def _apptainer(*arguments: str) -> str:
    command = [APPTAINER, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise RefusedError(f"Apptainer refused {arguments[-1]}: {done.stderr.strip()}")
    return done.stdout
