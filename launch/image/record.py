"""What a build writes beside its image: IMAGE.json."""

from dataclasses import dataclass
from pathlib import Path

from launch.damage import whole
from pcm.run_dir.typed_json import read, write


@dataclass(frozen=True, slots=True)
class Record:
    """A finished image.

    Attributes:
        key: of the stage that it was built from.
        size: bytes.
    """

    key: str
    sha256: str
    size: int

    def is_of(self, image: Path, key: str) -> bool:
        """Whether the file is there as it was built, from that key."""
        return self.key == key and image.is_file() and image.stat().st_size == self.size


def record_path(image: Path) -> Path:
    """Where an image's record is."""
    return image.with_name(f"{image.name}.json")


def read_record(image: Path) -> Record | None:
    """The record of an image; None if it has none that can be read."""
    return whole(read(Record, record_path(image)))


def write_record(image: Path, record: Record) -> None:
    """Write the record of an image."""
    write(record_path(image), record)
