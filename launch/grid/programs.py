"""The program of a script: whether it is here, and whether it starts ranks as pcm does."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PYTHONS = ("python", "python3")
"""Found by whoever runs them: the Python that trains."""


STARTERS = ("torchrun", "accelerate", "deepspeed", "mpirun", "mpiexec", "srun")
"""Programs that start the ranks of a script."""

_AS_MODULES = ("torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch")


def missing_program(run: Mapping[str, Any]) -> str | None:
    """What to tell of a command whose program is not on this machine; None if it is.

    It may be on the nodes alone.
    """
    program = str(run["command"][0])
    if program in PYTHONS or "{" in program or shutil.which(program) is not None:
        return None
    where = Path.cwd() if "/" in program else "your PATH"
    return f"run.command: no program {program!r} in {where}; it has to be where the script runs"


def starter_in_each_rank(run: Mapping[str, Any], ranks: int) -> str | None:
    """What to tell of a command that would start all ranks once more, in each of several."""
    words = [str(word) for word in run["command"]]
    starters = [Path(words[0]).name] if Path(words[0]).name in STARTERS else []
    starters += [word for word in words if word in _AS_MODULES]
    if not starters or ranks == 1:
        return None
    return (
        f"run.command: {starters[0]} starts ranks of its own, in each of the {ranks} that pcm "
        "starts; take it out: each has torchrun's variables"
    )
