"""A cluster that was there before, for machines that can't have one of the tests' own."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.cluster.slurm import SlurmCluster

VARIABLE = "PCM_TEST_PARTITION"
"""Environment variable with the partition to run on, as the user who runs the tests."""

PARTITION = os.environ.get(VARIABLE)

NEEDED = (
    f"left out where {VARIABLE} is set: tests that kill daemons, preempt, take nodes away, act as "
    "root or need a configuration of their own"
)


@dataclass
class ExistingCluster(SlurmCluster):
    """One partition of it, and what any user may do there; none of its daemons is ours."""

    is_ours: ClassVar[bool] = False
    partition: str = field(kw_only=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to reach it: the user's own settings."""
        conf = {name: text for name, text in os.environ.items() if name == "SLURM_CONF"}
        return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **conf}
