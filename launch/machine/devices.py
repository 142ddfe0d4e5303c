"""The GPUs of this machine, without torch."""

import shutil
import subprocess
from collections.abc import Mapping


def visible_devices(environment: Mapping[str, str]) -> list[str]:
    """Ids of the GPUs that may be used: CUDA_VISIBLE_DEVICES, else all that the driver lists."""
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return _listed_devices()
    return [device.strip() for device in chosen.split(",") if device.strip() not in ("", "-1")]


def _listed_devices() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        listing = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return listing.stdout.split()
