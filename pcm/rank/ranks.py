"""Which rank of how many this process is, from torchrun's environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pcm.errors import UsageError


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of this process among the processes of its attempt.

    Attributes:
        rank: global rank, from 0.
        world_size: ranks in all.
        local_rank: rank on this node, from 0.
        local_world_size: ranks on this node.
        node: this node's index, from 0.
        address: where rank 0 can be reached.
        is_supervised: whether a supervisor started this process and decides about signals.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    local_world_size: int = 1
    node: int = 0
    address: str = "127.0.0.1"
    is_supervised: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Ranks":
        """Read RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, GROUP_RANK, MASTER_ADDR.

        Without RANK the process was started by hand and is alone.

        Raises:
            UsageError: a variable is missing, no number, or contradicts another.
        """
        if "RANK" not in environment:
            return cls()
        world_size = _integer(environment, "WORLD_SIZE")
        local_world_size = _integer(environment, "LOCAL_WORLD_SIZE", default=world_size)
        rank = _integer(environment, "RANK")
        ranks = cls(
            rank=rank,
            world_size=world_size,
            local_rank=_integer(environment, "LOCAL_RANK", default=rank % local_world_size),
            local_world_size=local_world_size,
            node=_integer(environment, "GROUP_RANK", default=rank // local_world_size),
            address=environment.get("MASTER_ADDR", "127.0.0.1"),
            is_supervised=True,
        )
        ranks._check()
        return ranks

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, the one that writes."""
        return self.rank == 0

    @property
    def nodes(self) -> int:
        """Nodes that the ranks are on."""
        return self.world_size // self.local_world_size

    def _check(self) -> None:
        if self.rank >= self.world_size or self.local_rank >= self.local_world_size:
            raise UsageError(
                f"rank {self.rank} of {self.world_size} (locally {self.local_rank} of"
                f" {self.local_world_size}) is impossible: ranks count from 0"
            )
        if self.world_size % self.local_world_size:
            raise UsageError(
                f"WORLD_SIZE={self.world_size} is no multiple of"
                f" LOCAL_WORLD_SIZE={self.local_world_size}: every node needs as many ranks"
            )


def _integer(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal() or (name.endswith("SIZE") and int(text) == 0):
        found = "is not set" if text is None else f"is {text!r}"
        raise UsageError(
            f"RANK is set, but {name} {found}: a supervisor sets torchrun's variables together",
            "unset RANK to train in one process",
        )
    return int(text)
