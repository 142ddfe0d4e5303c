"""A folder on this machine's own disk for what one user's processes needn't work out twice."""

import os
import stat
from contextlib import suppress
from pathlib import Path

_TEMPORARY = Path("/tmp")
"""What an image shows of the machine, whatever TMPDIR is."""


def own_cache_folder(temporary: Path = _TEMPORARY) -> str | None:
    """The caller's, made now unless it is there; None where it can't be, or somebody else's is."""
    folder = temporary / f"pcm-{os.getuid()}"
    with suppress(OSError):
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        facts = folder.lstat()
        is_private = not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and is_private:
            return str(folder)
    return None
