"""One build of Apptainer's: a definition, all that it reads, and the key that both have. Pure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launch.image.kinds import Compression

DEFINITION = "image.def"
"""Name of the definition in the folder that a build runs in."""


@dataclass(frozen=True)
class Stage:
    """What a build reads, apart from what a definition fetches by itself.

    Attributes:
        files: contents by name, relative to the folder that the build runs in; one is
            `DEFINITION`.
        links: large things that the folder gets by symbolic links: a base, wheels.
        binds: links that the build sees at a place of its own, and at which.
        arguments: values of the definition's `{{ names }}`.
        compression: how the result is packed; no part of the key.
        options: of `apptainer build`; no part of the key.
    """

    files: Mapping[str, bytes]
    links: Mapping[str, Path] = field(default_factory=dict)
    binds: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    compression: Compression = Compression.ZSTD
    options: Sequence[str] = ()

    def key(self) -> str:
        """Digest of all of it; the same key, the same image."""
        digest = hashlib.sha256()
        for part in self._parts():
            # The length keeps parts apart, whatever they contain.
            digest.update(b"%d:" % len(part))
            digest.update(part)
        return digest.hexdigest()

    def _parts(self) -> Iterator[bytes]:
        for name, content in sorted(self.files.items()):
            yield from (b"file", name.encode(), content)
        for name, path in sorted(self.links.items()):
            yield from (b"link", name.encode(), fingerprint(path).encode())
        for name, value in sorted(self.arguments.items()):
            yield from (b"argument", name.encode(), value.encode())


def fingerprint(path: Path) -> str:
    """Which file or folder this is, told by sizes and times: the content may be gigabytes."""
    paths = sorted(path.rglob("*")) if path.is_dir() else [path.resolve()]
    lines = []
    for each in paths:
        facts = each.lstat()
        lines.append(f"{each.name} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
