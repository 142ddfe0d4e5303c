"""`python -m launch.supervisor FOLDER`: one task of an array in Slurm."""

import sys

from launch.supervisor.task import run_task
from pcm.errors import PcmError


def main() -> int:
    """Run a task of the array whose submission's folder is given; how training fared is on disk."""
    try:
        state = run_task(sys.argv[1])
    except PcmError as error:
        print(f"pcm: {error}", file=sys.stderr)
        return error.exit_code
    print(f"pcm: {state}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
