"""A user without privileges, for what must not run as root."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unprivileged_user() -> Iterator[str]:
    """A user of this test session alone, gone at its end."""
    name = f"pcmtest{os.getpid()}"
    # With a home: Apptainer looks for it.
    _change_users("useradd", "--create-home", "--shell", "/bin/bash", name)
    try:
        yield name
    finally:
        _change_users("userdel", "--remove", name)


def _change_users(*command: str) -> None:
    """Change the list of users, which another session may be doing as well."""
    for _ in range(50):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{' '.join(command)} failed: {done.stderr}")
