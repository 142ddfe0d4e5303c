"""What tells a file's content from any other: its SHA-256."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Digest of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
