"""What DeepSpeed does unasked, and is not to do here."""

import os
import sys
from typing import Any

from lightning.pytorch.strategies import DeepSpeedStrategy


def train_on_cpus() -> None:
    """Have DeepSpeed train on CPUs, whatever else this node has; before anything imports it."""
    os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed.comm  # noqa: F401 - makes the module below

    # It would compile a collective of its own, which takes minutes, for what gloo does as well.
    # By its name in `sys.modules`, since `deepspeed.comm.torch` is torch.
    backend: Any = sys.modules["deepspeed.comm.torch"]
    backend.build_shm_op = lambda: None


def leave_out_scripts(engine: Any) -> None:
    """Have an engine put no scripts beside its states: `Result.load()` does what they do."""
    engine._copy_recovery_script = lambda _: None


def join_ranks(strategy: DeepSpeedStrategy) -> None:
    """Have DeepSpeed take the process group, or make one."""
    strategy._init_deepspeed_distributed()
