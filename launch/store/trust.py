"""What of a runs folder decides what is executed; refused where others could have changed it."""

from launch.store.layout import LaunchDir
from pcm.run_dir import RunDir
from pcm.run_dir.trust import require_trusted, require_trusted_tree


def require_trusted_launch(launch: LaunchDir, token: str | None = None) -> None:
    """Refuse a launch unless all that is frozen in it is ours alone.

    Args:
        token: of the array that a job came with; None without one.

    Raises:
        RefusedError: others could have changed it.
    """
    # Others may put launches of their own into a sweep's folder, and its name is all we use.
    top = launch.path.parent
    for path in (launch.sweep, launch.base, launch.points):
        require_trusted(path, top)
    if token is not None:
        require_trusted(launch.submissions / token / "intent.json", top)
    if launch.ships_code:
        require_trusted(launch.snapshot, top)
        require_trusted_tree(launch.snapshot)


def require_trusted_run_dir(run_dir: RunDir) -> None:
    """Refuse a run directory unless what training is told by it is ours alone.

    Checkpoints are not looked at: loading one executes nothing.

    Raises:
        RefusedError: others could have changed it.
    """
    top = run_dir.path.parent
    for path in (run_dir.config, run_dir.experiment, run_dir.attempts_folder):
        require_trusted(path, top)
