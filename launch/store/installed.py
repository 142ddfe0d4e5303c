"""Which code of ours is installed: a digest that changes with every edit."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import launch
import pcm

PACKAGES = (Path(launch.__file__).parent, Path(pcm.__file__).parent)


def code_digest(packages: Sequence[Path] = PACKAGES) -> str:
    """Hash of the Python files of some packages: their names and all that is in them."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            name = str(path.relative_to(package.parent)).encode()
            content = path.read_bytes()
            digest.update(b"%d %b %d " % (len(name), name, len(content)) + content)
    return digest.hexdigest()
