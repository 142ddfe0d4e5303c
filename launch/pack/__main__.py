"""`python -m launch.pack FOLDER`: one task of an array of packs in Slurm."""

import sys
import traceback

from launch.pack.opening import open_pack
from pcm.errors import ExitCode, PcmError
from pcm.secret_values import scrub


def main() -> int:
    """Run a task of the array in a folder; what became of experiments is in their directories."""

    def tell(text: str) -> None:
        print(scrub(f"pcm: {text}"), file=sys.stderr, flush=True)

    try:
        open_pack(sys.argv[1], tell).run()
    except PcmError as error:
        tell(str(error))
        return error.exit_code
    except Exception:
        tell(traceback.format_exc())
        return ExitCode.EXPERIMENT_FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
