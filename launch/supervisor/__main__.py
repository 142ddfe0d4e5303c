"""`python -m launch.supervisor FOLDER`: one task of an array in Slurm."""

import sys
import traceback

from launch.supervisor.task import run_task
from pcm.errors import ExitCode, PcmError
from pcm.secret_values import scrub


def main() -> int:
    """Run a task of the array in a folder; what became of training is in its run directory."""
    try:
        said, code = run_task(sys.argv[1]), ExitCode.DONE
    except PcmError as error:
        said, code = str(error), error.exit_code
    except Exception:
        said, code = traceback.format_exc(), ExitCode.EXPERIMENT_FAILED
    print(scrub(f"pcm: {said}"), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
