"""A state in shards, by torch's distributed checkpoints: written by all ranks, read by any number.

torch pickles what says where everything is, and what is no tensor. Here nothing is read that
could run code.
"""

import errno
import pickle
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from pcm.errors import PcmError
from pcm.run_dir import fsync_folder
from pcm.run_dir.digests import sha256_of
from pcm.run_dir.shards import StagedShards
from pcm.run_dir.trust import make_folder, trusts_others
from pcm.training.checkpoints.shared_saving import agree, merged

State = dict[str, Any]

WEIGHTS = "state_dict"
"""The part of a sharded state that has the model's weights; the others are its optimizers."""

_INDEX = ".metadata"
"""torch's name of the file that says what is where."""

_INDEX_MODULES = (
    "torch.distributed.checkpoint.metadata",
    "torch.distributed.checkpoint.filesystem",
)
_INDEX_NAMES = {
    ("torch", "Size"),
    ("torch.serialization", "_get_layout"),
    ("pathlib", "PosixPath"),
    ("pathlib", "PurePosixPath"),
}
"""What the index is made of, besides types of tensors."""


def write_shards(state: State, folder: Path, group: dist.ProcessGroup | None) -> StagedShards:
    """Write a state together: each rank its own part; called by all ranks.

    Args:
        folder: new, and the same on all ranks.
        group: of all ranks, on CPUs; None for one rank.

    Raises:
        OSError: on all ranks alike, whichever could not write.
    """
    fault = None
    try:
        make_folder(folder, exist_ok=True)
    except OSError as error:
        fault = error
    agree(fault, group)
    try:
        writer = FileSystemWriter(folder, thread_count=1, sync_files=True)
        save(state, storage_writer=writer, process_group=group)
    except CheckpointException as error:
        raise _error_of_disk(error) from error
    digests: dict[str, str] = {}
    fault = None
    try:
        digests = {path.name: _sealed(path) for path in _files_of(_rank_in(group), folder)}
        fsync_folder(folder)
    except OSError as error:
        fault = error
    return StagedShards(folder, merged(agree(fault, group, digests)))


def read_shards(state: State, folder: Path, group: dist.ProcessGroup | None) -> None:
    """Fill the tensors and values of a state that is laid out as it is to be.

    Raises:
        PcmError: it lacks some of them.
    """
    reader, planner = _PlainReader(folder), _PlainPlanner()
    try:
        load(state, storage_reader=reader, planner=planner, process_group=group)
    except CheckpointException as error:
        raise PcmError(
            f"the shards in {folder} don't fit this training: {_first(error)}",
            "the model has other layers than the one that was saved, or another optimizer",
        ) from error


def names_in(folder: Path) -> set[str]:
    """Dotted paths of all that a state has, and of what holds it."""
    found: set[str] = set()
    for name in _PlainReader(folder).read_metadata().state_dict_metadata:
        words = name.split(".")
        found |= {".".join(words[:length]) for length in range(1, len(words) + 1)}
    return found


def read_whole(folder: Path, part: str) -> dict[str, torch.Tensor]:
    """All tensors of one part of the state, each as a whole, on the CPU.

    Args:
        part: a key of the state that was written.
    """
    index = _PlainReader(folder).read_metadata()
    whole = {
        name: torch.empty(each.size, dtype=each.properties.dtype)
        for name, each in index.state_dict_metadata.items()
        if name.startswith(f"{part}.") and isinstance(each, TensorStorageMetadata)
    }
    with warnings.catch_warnings():
        # That there is no process group is what this is for.
        warnings.simplefilter("ignore")
        load(whole, storage_reader=_PlainReader(folder), planner=_PlainPlanner())
    return {name.removeprefix(f"{part}."): each for name, each in whole.items()}


class _IndexUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if _is_part_of_index(module, name):
            return super().find_class(module, name)
        raise PcmError(f"an index of shards names {module}.{name}, which may run code: not loaded")


def _is_part_of_index(module: str, name: str) -> bool:
    if module in _INDEX_MODULES:
        # Not what these modules have imported.
        found = getattr(sys.modules[module], name, None)
        return getattr(found, "__module__", None) == module
    is_type = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
    return is_type or (module, name) in _INDEX_NAMES


class _PlainReader(FileSystemReader):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def read_metadata(self, *args: Any, **kwargs: Any) -> Any:
        """The index, once it is known to be nothing else."""
        with (self._folder / _INDEX).open("rb") as stream:
            index = _IndexUnpickler(stream).load()
        for place in index.storage_data.values():
            if Path(place.relative_path).name != place.relative_path:
                raise PcmError(f"{self._folder / _INDEX} leads outside of its folder")
        return super().read_metadata(*args, **kwargs)


class _PlainPlanner(DefaultLoadPlanner):
    def load_bytes(self, read_item: Any, value: Any) -> None:
        """Load what is no tensor, once it is known to be plain."""
        torch.load(value, weights_only=True)
        value.seek(0)
        super().load_bytes(read_item, value)


def _rank_in(group: dist.ProcessGroup | None) -> int:
    return 0 if group is None else dist.get_rank(group)


def _files_of(rank: int, folder: Path) -> Iterator[Path]:
    """What a rank has written."""
    yield from sorted(folder.glob(f"__{rank}_*"))
    if rank == 0:
        yield folder / _INDEX


def _sealed(path: Path) -> str:
    """The sha256 of a file that nobody else may change from now on."""
    path.chmod(0o666 if trusts_others() else 0o644)
    return sha256_of(path)


def _error_of_disk(error: CheckpointException) -> OSError:
    rank, (cause, _) = next(iter(error.failures.items()))
    if isinstance(cause, OSError):
        return OSError(cause.errno, f"rank {rank}: {cause.strerror or cause}")
    # torch's writer turns the disk's error into its own; want of room is the usual one.
    if isinstance(cause, RuntimeError):
        return OSError(errno.ENOSPC, f"rank {rank}: {cause}")
    raise cause


def _first(error: CheckpointException) -> BaseException:
    return next(iter(error.failures.values()))[0]
