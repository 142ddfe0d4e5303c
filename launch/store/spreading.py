"""Where something lies of which there may be ten thousand: in a folder by the start of its name.

FOLDER/3f/3f2a81c09b/   not FOLDER/3f2a81c09b/

Whoever adds to a folder of a file server waits for all others who do, the longer the more it
has. Ids are hex digits, so there are 256 folders at the most. Earlier versions put everything
into FOLDER itself: what they have left stays there, and is found there first.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from pcm.run_dir import fsync_folder
from pcm.run_dir.trust import make_shared_folder

WIDTH = 2
"""Characters of a name that its folder is called by."""


def place_in(folder: Path | str, name: str) -> str:
    """Where something is, or is to be made: a text, since ten thousand paths take 0.1 s to make."""
    flat = f"{folder}/{name}"
    is_flat = os.path.exists(flat)  # noqa: PTH110
    return flat if is_flat else f"{folder}/{name[:WIDTH]}/{name}"


def is_part(name: str) -> bool:
    """Whether a name is that of a folder of several things, not of one of them."""
    return len(name) == WIDTH


def make_part(folder: Path) -> None:
    """Make the folder that something is to be put into, for all who may put their own there."""
    make_shared_folder(folder.parent)
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    # Where somebody has opened the folder above to a group, a umask would close this one.
    with suppress(PermissionError):
        folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))
    fsync_folder(folder.parent)
