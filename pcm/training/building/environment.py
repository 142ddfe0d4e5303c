"""What Lightning is told about the ranks, so that it never looks at Slurm or torchrun."""

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment

from pcm.rank.ranks import Ranks


class RankEnvironment(ClusterEnvironment):
    """The ranks as our own environment variables have them; processes exist already."""

    def __init__(self, ranks: Ranks) -> None:
        super().__init__()
        self._ranks = ranks

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning starts no process."""
        return True

    @property
    def main_address(self) -> str:
        """Where rank 0 is; unused, since the process group exists before Lightning asks."""
        return self._ranks.address

    @property
    def main_port(self) -> int:
        """Unused, since the process group exists before Lightning asks."""
        return 0

    @staticmethod
    def detect() -> bool:
        """Never found by itself: it is handed to the Trainer."""
        return False

    def world_size(self) -> int:
        """Ranks on all nodes together, as the supervisor has told."""
        return self._ranks.world_size

    def set_world_size(self, size: int) -> None:
        """Lightning's own count must be ours."""
        assert size == self._ranks.world_size

    def global_rank(self) -> int:
        """This process among all."""
        return self._ranks.rank

    def set_global_rank(self, rank: int) -> None:
        """Lightning's own count must be ours."""
        assert rank == self._ranks.rank

    def local_rank(self) -> int:
        """This process on its node."""
        return self._ranks.local_rank

    def node_rank(self) -> int:
        """This node among all."""
        return self._ranks.node
