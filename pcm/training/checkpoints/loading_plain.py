"""Loading a checkpoint without running any code that it may carry."""

import pathlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

_SCALARS = (np.bool_, np.int32, np.int64, np.float32, np.float64)


def _harmless() -> list[Any]:
    """Types that people put into hyperparameters, and that can do nothing when loaded."""
    scalar = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in _SCALARS]
    return [pathlib.PosixPath, pathlib.PurePosixPath, np.dtype, scalar, *dtypes]


def load_plain(source: Path | BinaryIO) -> dict[str, Any]:
    """Load a checkpoint onto the CPU without running any code that it may carry."""
    with torch.serialization.safe_globals(_harmless()):
        loaded: dict[str, Any] = torch.load(source, map_location="cpu", weights_only=True)
    return loaded
