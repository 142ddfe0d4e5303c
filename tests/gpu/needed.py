"""What these tests need of a machine, and the trainer file with which they ask for it."""

from typing import Any

import pytest
import torch

from pcm.run_dir import RunDir
from tests.resume.runs import newest

ACCELERATOR = "gpu"


def needs_gpus(count: int) -> pytest.MarkDecorator:
    """Skips tests where there are fewer, with a word about it."""
    found = torch.cuda.device_count()
    there = f"{found} of {count} GPUs on this machine" if found else "no GPU on this machine"
    return pytest.mark.skipif(found < count, reason=f"{there}: not run")


def trainer(**kwargs: Any) -> dict[str, Any]:
    """Two epochs on GPUs."""
    return {
        "callbacks": [],
        "num_nodes": None,
        "devices": None,
        "accelerator": ACCELERATOR,
        "kwargs": {"max_epochs": 2, "log_every_n_steps": 1, **kwargs},
    }


def draws_on_gpus(run_dir: RunDir) -> bool:
    """Whether each rank of a run had a generator on a GPU."""
    return all("cuda" in each["generators"] for each in newest(run_dir)["pcm"]["ranks"])
