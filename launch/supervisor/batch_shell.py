"""What the shell of a job's script has got of signals; srun tells the ranks of them, not which."""

from launch.store import LaunchDir
from launch.store.submissions import SubmissionDir
from launch.supervisor.job import Job


def signal_to_shell(launch: LaunchDir, job: Job) -> str | None:
    """The signal that the job's script got since this start, e.g. `SIGTERM`; None if none."""
    if job.token is None:
        return None
    try:
        name = SubmissionDir(launch.submissions / job.token).signal(job.id).read_text().strip()
    except OSError:
        return None
    return f"SIG{name}" if name else None
