"""The variables of a script: torchrun's, and where its things are. Pure."""

from collections.abc import Mapping

from pcm.rank.task import Task
from pcm.run_dir.records import RendezvousRecord

_NOT_PASSED_ON = ("PYTHONSAFEPATH",)
"""It keeps the working directory from hiding pcm; a script imports what lies beside it."""


def script_environment(
    inherited: Mapping[str, str], task: Task, meeting: RendezvousRecord, seed: int, stop_signal: str
) -> dict[str, str]:
    """The variables of one rank's script.

    Args:
        inherited: this process's own.
    """
    run_dir, attempt, ranks = task.run_dir, task.attempt, task.ranks
    kept = {name: text for name, text in inherited.items() if name not in _NOT_PASSED_ON}
    if ranks.nodes == 1:
        # The host's own name need not resolve; all ranks are here anyway.
        kept.setdefault("GLOO_SOCKET_IFNAME", "lo")
    variables = kept | {
        "RANK": str(ranks.rank),
        "WORLD_SIZE": str(ranks.world_size),
        "LOCAL_RANK": str(ranks.local_rank),
        "LOCAL_WORLD_SIZE": str(ranks.local_world_size),
        "GROUP_RANK": str(ranks.node),
        "MASTER_ADDR": meeting.address,
        "MASTER_PORT": str(meeting.port),
        "PCM_CONFIG": str(run_dir.params.absolute()),
        "PCM_RUN_DIR": str(run_dir.path.absolute()),
        "PCM_ATTEMPT": str(attempt.number),
        "PCM_SEED": str(seed),
        "PCM_METRICS": str(attempt.logged.absolute()),
        "PCM_STOP_FILE": str(attempt.stop.absolute()),
        "PCM_STOP_SIGNAL": stop_signal,
    }
    return (
        variables
        if meeting.checkpoint is None
        else variables | {"PCM_CHECKPOINT": meeting.checkpoint}
    )
