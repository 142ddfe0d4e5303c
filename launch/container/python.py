"""The command line of one rank of training: an interpreter, `-m pcm`, a run directory. Pure."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pcm.errors import UsageError

PYTHON_VARIABLE = "PCM_PYTHON"
"""Environment variable: the interpreter that has torch, where it is not the one that launches."""


def training_python(environment: Mapping[str, str]) -> list[str]:
    """The interpreter that trains, with options of its own: `$PCM_PYTHON`, else this one.

    Raises:
        UsageError: the variable is no command line.
    """
    text = environment.get(PYTHON_VARIABLE, "")
    try:
        return shlex.split(text) or [sys.executable]
    except ValueError as error:
        raise UsageError(
            f"${PYTHON_VARIABLE} is no command line ({error}): {text!r}",
            hint="quote it as a shell would want it, e.g. \"'/my envs/train/bin/python'\"",
        ) from None


def training_command(python: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Words of the command that runs one rank of training."""
    return [*python, "-m", "pcm", *arguments]


def with_code_first(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Variables for an interpreter that takes the code in a folder before what is installed.

    Not even the working directory comes before it, which may hold the same packages. Nothing is
    written into the folder, where compiled code would be as open to others as the umask is.
    """
    places = [str(folder), variables.get("PYTHONPATH")]
    path = os.pathsep.join(place for place in places if place)
    fixed = {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**variables, "PYTHONPATH": path, **fixed}


def training_arguments(run_dir: Path, attempt: int, checkpoint: str | None = None) -> list[str]:
    """What `python -m pcm` is told.

    Args:
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.
    """
    arguments = [str(run_dir), "--attempt", str(attempt)]
    return arguments if checkpoint is None else [*arguments, "--checkpoint", checkpoint]
