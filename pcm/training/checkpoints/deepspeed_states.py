"""What DeepSpeed saves, in files of our own: each rank's states beside those of the others.

DeepSpeed pickles an object or two of its own. Here nothing else is read that could run code.
"""

import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from deepspeed.runtime.checkpoint_engine.checkpoint_engine import CheckpointEngine
from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address
from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

from pcm.errors import PcmError
from pcm.run_dir import fsync_folder
from pcm.run_dir.shards import StagedShards
from pcm.run_dir.trust import make_folder, open_own
from pcm.training.checkpoints.hashing import HashingStream
from pcm.training.checkpoints.shared_saving import agree, merged

State = dict[str, Any]

NO_TAG = ""
"""DeepSpeed's name of a folder in the folder: there is none."""

_HARMLESS = [LossScaler, DynamicLossScaler, ZeroStageEnum, fragment_address]
"""DeepSpeed's own types in its states."""


class States(CheckpointEngine):  # type: ignore[misc]  # untyped
    """DeepSpeed's way to the disk: it gets no further than here when it saves.

    Attributes:
        folder: where it finds what it loads.
        saved: what it wanted to save, by the names of its files.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path()
        self.saved: dict[str, State] = {}

    def create(self, info: Any) -> None:  # noqa: ARG002 - DeepSpeed's signature
        """Begin anew."""
        self.saved = {}

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Nothing: folders are ours."""

    def save(self, state_dict: State, path: str) -> None:
        """Keep a state until it is written."""
        self.saved[Path(path).name] = state_dict

    def load(self, path: str, map_location: Any = None) -> State:
        """Read one file; the checkpoint's manifest was verified when it was chosen."""
        return read_state(self.folder / Path(path).name, map_location)

    def commit(self, info: Any) -> bool:  # noqa: ARG002 - DeepSpeed's signature
        """Nothing: checkpoints count when rank 0 has written the manifest."""
        return True


def write_states(
    states: Mapping[str, State], folder: Path, group: dist.ProcessGroup | None, *, prove: bool
) -> StagedShards:
    """Write this rank's states, as all ranks do.

    Args:
        folder: new, and the same on all ranks.
        group: of all ranks, on CPUs; None for one rank.
        prove: whether to load them back: what can't be loaded must be known now, not at resume.

    Raises:
        OSError: on all ranks alike, whichever could not write.
        PcmError: on all ranks, if one's could never be loaded again.
    """
    digests: dict[str, str] = {}
    fault: Exception | None = None
    try:
        make_folder(folder, exist_ok=True)
        digests = {name: _write(state, folder / name) for name, state in states.items()}
        fsync_folder(folder)
        for name in states if prove else ():
            read_state(folder / name)
    except (OSError, PcmError) as error:
        fault = error
    return StagedShards(folder, merged(agree(fault, group, digests)))


def read_state(path: Path, place: Any = "cpu") -> State:
    """One rank's state, without running any code that its file may carry.

    Raises:
        PcmError: it has other objects than DeepSpeed's own.
    """
    with torch.serialization.safe_globals(_HARMLESS):
        try:
            state: State = torch.load(path, map_location=place or "cpu", weights_only=True)
        except OSError:
            raise
        except Exception as error:
            raise PcmError(
                f"{path} has more in it than tensors and plain values: {error}",
                "keep what an optimizer has in its state to tensors, numbers, strings and lists",
            ) from error
    return state


def read_whole(folder: Path) -> dict[str, torch.Tensor]:
    """A model's weights in full precision, put together from the states of all ranks."""
    for path in folder.iterdir():
        # DeepSpeed loads whatever there is.
        read_state(path)
    with tempfile.TemporaryDirectory() as place:
        # It searches by a pattern, which a folder's name may look like.
        plain = Path(place) / "states"
        plain.symlink_to(folder.resolve())
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            whole: dict[str, torch.Tensor] = get_fp32_state_dict_from_zero_checkpoint(
                str(plain), tag=NO_TAG
            )
    return whole


def _write(state: State, path: Path) -> str:
    """The sha256 of the file."""
    with open(path, "xb", opener=open_own) as stream:
        hashing = HashingStream(stream)
        try:
            torch.save(state, hashing)  # type: ignore[arg-type]  # needs write() alone
        except RuntimeError as error:
            # torch's writer turns the disk's error into its own.
            raise hashing.error or error from error
        stream.flush()
        os.fsync(stream.fileno())
    return hashing.sha256
