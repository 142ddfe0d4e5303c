"""Which code a launch ran: the checkout's commit, and what was not committed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MAX_DIFF = 1_000_000
"""Bytes of the diff that are kept."""

_SECONDS = 20


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """State of a git checkout.

    Attributes:
        dirty: whether tracked files differ from the commit.
        diff: how they differ; cut off at `MAX_DIFF` bytes. Untracked files are never read.
    """

    commit: str
    dirty: bool
    diff: str


def code_version(folder: Path) -> CodeVersion | None:
    """Version of the checkout that `folder` is in; None without one, or without git."""
    commit = git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = git(folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD") or b""
    text = diff[:MAX_DIFF].decode(errors="replace")
    return CodeVersion(commit.decode().strip(), bool(diff), text)


def git(folder: Path, *arguments: str) -> bytes | None:
    """What a git command prints; None if it failed, or there is no git."""
    # Without the lock a diff doesn't get in the way of the user's own git.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
