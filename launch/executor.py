"""Where experiments run, and which code."""

from enum import StrEnum


class Executor(StrEnum):
    """Where experiments run: as Slurm's jobs, as processes here, or in this very process."""

    SLURM = "slurm"
    LOCAL = "local"
    DEBUG = "debug"


class Code(StrEnum):
    """Which code the jobs of a launch run."""

    BAKED = "baked"
    SNAPSHOT = "snapshot"
