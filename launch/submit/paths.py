"""What the path of a runs folder may not have in it."""

from collections.abc import Sequence

from launch.store import LaunchDir
from pcm.errors import RefusedError


def require_path_without(tags: Sequence[str], launch: LaunchDir) -> None:
    """Refuse a folder whose files submitit or Slurm would look for somewhere else.

    Args:
        tags: what they replace, or break at, wherever it is in a path.

    Raises:
        RefusedError: the launch's path has one of them in it.
    """
    if any(tag in str(launch.path) for tag in tags):
        names = " ".join(map(repr, tags))
        raise RefusedError(
            f"the runs folder must not have any of {names} in its path: {launch.root}",
            hint="choose another one with --runs-dir or PCM_RUNS_DIR",
        )
