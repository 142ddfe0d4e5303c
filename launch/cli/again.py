"""The command line that was just given, for people who are told to give it once more."""

import shlex
import sys
from pathlib import Path

from pcm.errors import RefusedError


def later(problem: str, remedy: str = "submits the rest later") -> RefusedError:
    """What to tell a person who doesn't wait for room, with the command that goes on."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return RefusedError(problem, f"`{command}` {remedy}")
