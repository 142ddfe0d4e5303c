"""Where Apptainer unpacks what it builds: gigabytes, which it leaves behind when interrupted."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REMOVE_AS_ROOT_INSIDE = ("unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", "--")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one build, where Apptainer would have made one; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pcm-build-", dir=os.environ.get("APPTAINER_TMPDIR")))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        # The rest belongs to subordinate users: only as their root may it be removed.
        with suppress(OSError):
            command = [*_REMOVE_AS_ROOT_INSIDE, str(folder)]
            subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
