"""GPUs that were asked for and are not there: why, as far as can be seen from in here."""

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from pcm.errors import RefusedError
from pcm.run_dir import GPUS_ASKED

DEVICES = Path("/dev")

_IMAGE = Path("/.singularity.d")
"""There inside of Apptainer's images alone."""


def gpus_asked(environment: Mapping[str, str] = os.environ) -> int:
    """How many GPUs this node's ranks were to get; 0 if nobody said so."""
    text = environment.get(GPUS_ASKED, "")
    return int(text) if text.isdecimal() else 0


def missing_gpus(asked: int, visible: int) -> RefusedError:
    """What to tell where training would silently go to the CPU."""
    reason, hint = _reason()
    return RefusedError(
        f"GPUs on {os.uname().nodename}: {asked} asked for, {visible} seen by training, "
        f"since {reason}",
        hint=f"{hint}; `accelerator: cpu` in the trainer file trains without",
    )


def _reason() -> tuple[str, str]:
    """Why this process sees too few GPUs, and what to try."""
    if not torch.backends.cuda.is_built():
        return "this torch is a build for CPUs", "pcm image build --kind gpu, or another torch"
    if torch.version.hip is None and not any(DEVICES.glob("nvidia[0-9]*")):
        return "there is no /dev/nvidia0", "`nvidia-smi` on the node tells whether it has a driver"
    if torch.version.hip is None and not _has_driver():
        where = "in the image" if _IMAGE.exists() else "here"
        return f"the driver's libcuda.so.1 is not {where}", "`nv: true` in `container:` brings it"
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return f"CUDA_VISIBLE_DEVICES is {chosen!r}", "see what sets it, on the node or at launch"
    return f"the driver says {_complaint()!r}", "`nvidia-smi` on the node tells more"


def _has_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def _complaint() -> str:
    """The driver's own words."""
    try:
        torch.cuda.init()
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return "nothing"
