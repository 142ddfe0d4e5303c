"""What others could have changed, and so is never executed unasked; and files they can't change.

A runs folder may be shared: anybody of a group makes sweeps and run directories in it. What is
in these is its owner's alone, whatever the umask, or a default ACL of the folder, would allow.
"""

import grp
import os
import pwd
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from pcm.errors import RefusedError

VARIABLE = "PCM_TRUST_OTHERS"
"""Environment variable of those who want to execute what others may have written."""

_ACL = "system.posix_acl_access"


def trusts_others() -> bool:
    """Whether the person said that all who can write in the runs folder may run code as them."""
    return os.environ.get(VARIABLE, "") not in ("", "0")


def open_own(path: str, flags: int) -> int:
    """Opener of a file that nobody else may change."""
    return os.open(path, flags, 0o666 if trusts_others() else 0o644)


def open_private(path: str, flags: int) -> int:
    """Opener of a file that nobody else may read: what it gets may have a secret in it."""
    return os.open(path, flags, 0o666 if trusts_others() else 0o600)


def make_folder(folder: Path, *, exist_ok: bool = False) -> None:
    """Make a folder, and those above, in which nobody else may change anything."""
    if not folder.parent.exists():
        make_folder(folder.parent, exist_ok=True)
    try:
        folder.mkdir(0o777 if trusts_others() else 0o755)
    except FileExistsError:
        if not exist_ok or not folder.is_dir():
            raise


def make_shared_folder(folder: Path) -> None:
    """Make a folder where others may put their own, but not touch what isn't theirs."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not trusts_others():
        # Somebody else may have been faster, and then it's theirs to change.
        with suppress(PermissionError):
            folder.chmod(stat.S_IMODE(mode) | stat.S_ISVTX)


def require_trusted(path: Path, top: Path) -> None:
    """Refuse what another user owns or may change, or could have put in the place of ours.

    Args:
        path: a file or folder.
        top: a folder above it that may be shared; those between the two must be ours as well.

    Raises:
        RefusedError: somebody else could have written what is in it.
    """
    if trusts_others():
        return
    for each in (path, *path.parents):
        if each == top:
            return
        _require_own(each)


def require_trusted_tree(folder: Path) -> None:
    """Refuse a folder if another user owns or may change anything inside.

    Raises:
        RefusedError: see `require_trusted`.
    """
    if trusts_others():
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            # What a link of ours leads to was somebody's choice when it was made.
            _refuse_strangers(path, path.lstat())


def _require_own(path: Path) -> None:
    # Whoever wants to read what is missing says so.
    with suppress(FileNotFoundError):
        link = path.lstat()
        _refuse_strangers(path, link)
        if stat.S_ISLNK(link.st_mode):
            _refuse_strangers(path, path.stat())


def _refuse_strangers(path: Path, facts: os.stat_result) -> None:
    is_link = stat.S_ISLNK(facts.st_mode)
    allowed = f"or let it pass with {VARIABLE}=1 if you trust all who can write there"
    # Root can do everything anyway.
    if facts.st_uid not in (os.getuid(), 0):
        raise RefusedError(
            f"{path} belongs to {_name(facts.st_uid)}, and what it says would run as you",
            f"launch it into a runs folder of your own, {allowed}",
        )
    if not is_link and _others_may_write(path, facts):
        raise RefusedError(
            f"{path} could have been changed by others (mode {stat.S_IMODE(facts.st_mode):04o}), "
            "and what it says would run as you",
            f"look at it, then `chmod -R go-w {shlex.quote(str(path))}`, {allowed}",
        )


def _others_may_write(path: Path, facts: os.stat_result) -> bool:
    if facts.st_mode & stat.S_IWOTH:
        return True
    if not facts.st_mode & stat.S_IWGRP:
        return False
    # With an ACL, the group's bits are what the ACL allows to anybody.
    return not _is_own_group(facts.st_gid) or _has_acl(path)


def _is_own_group(gid: int) -> bool:
    """Whether a group is the one that some systems give each user, with nobody else in it."""
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    is_named_so = group.gr_name == user.pw_name and gid == user.pw_gid
    return is_named_so and set(group.gr_mem) <= {user.pw_name}


def _has_acl(path: Path) -> bool:
    # Python has it on Linux alone.
    try:
        return hasattr(os, "getxattr") and bool(os.getxattr(path, _ACL))
    except OSError:
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
