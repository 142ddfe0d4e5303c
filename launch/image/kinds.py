"""What there is to choose from when an image is built."""

from enum import StrEnum


class Kind(StrEnum):
    """What an environment is for; each has a definition in `containers/`."""

    GPU = "gpu"
    CPU = "cpu"
    OFFLINE = "offline"


class Compression(StrEnum):
    """How an image is packed: zstd starts fastest, gzip is read by the oldest nodes."""

    GZIP = "gzip"
    ZSTD = "zstd"
    LZ4 = "lz4"

    @property
    def mksquashfs_arguments(self) -> str:
        """Options for mksquashfs, as one text."""
        level = " -Xcompression-level 3" if self is Compression.ZSTD else ""
        return f"-comp {self}{level}"
