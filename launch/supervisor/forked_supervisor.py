"""A supervisor that was forked by its launcher's nursery: to its end, and to its exit code."""

import sys
import traceback
from pathlib import Path

from launch.machine.signals import SCHEDULER, SignalFlag
from launch.store import LaunchDir
from launch.supervisor.forked import Waiting
from launch.supervisor.job import Job
from launch.supervisor.supervise import take_part
from pcm.errors import ExitCode, PcmError
from pcm.secret_values import scrub


def supervise_forked(launch: str, experiment_id: str, job: Job, waiting: Waiting | None) -> int:
    """Run one rank of an attempt; what went wrong.

    Args:
        waiting: its training process, if it is there already.
    """
    try:
        with SignalFlag(SCHEDULER) as signals:
            take_part(LaunchDir(Path(launch)), experiment_id, job, signals, waiting)
    except PcmError as error:
        said, code = str(error), error.exit_code
    except BaseException:
        said, code = traceback.format_exc(), ExitCode.EXPERIMENT_FAILED
    else:
        return ExitCode.DONE
    print(scrub(f"pcm: {said}"), file=sys.stderr)
    return code
