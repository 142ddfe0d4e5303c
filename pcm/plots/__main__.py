"""`python -m pcm.plots RUN_DIR`: draw the pictures that wait in a run directory.

With `--follow`, do so until standard input ends; training starts it like that.
"""

import argparse
import os
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path

from pcm.companion import work_beside_parent
from pcm.console import tell
from pcm.errors import ExitCode, NotFoundError, PcmError
from pcm.plots.failures import BEGINNING
from pcm.run_dir import RunDir

_NICE = 19
"""Takes 1.4 % of a core that training wants. SCHED_IDLE takes 0.3 %, but then nothing may be drawn
for minutes on a machine that others keep busy."""
_FIRST_TO_KILL = "1000"
"""Where memory is short, the kernel takes this process rather than training."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pcm.plots", description=__doc__)
    parser.add_argument("run_dir", type=Path, help="run directory of the experiment")
    parser.add_argument("--follow", action="store_true", help="until standard input ends")
    options = parser.parse_args(arguments)
    run_dir = RunDir(options.run_dir.resolve())
    if options.follow:
        _give_way()
    try:
        _draw(run_dir, is_following=options.follow)
    except PcmError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.DONE


def _draw(run_dir: RunDir, *, is_following: bool) -> None:
    if not run_dir.path.is_dir():
        raise NotFoundError(f"there is no run directory {run_dir.path}")

    def work(ended: threading.Event) -> None:
        # Its imports take seconds, in which training may end, or somebody press Ctrl-C.
        from pcm.plots.drawing import follow

        _tell_of_plots_alone()
        follow(run_dir, ended)

    if is_following:
        # Training says what is left.
        work_beside_parent(work, lambda _: None, grace=0.0)
        return
    from pcm.plots.drawing import draw

    _tell_of_plots_alone()
    draw(run_dir)


def _tell_of_plots_alone() -> None:
    """What libraries warn of is for who calls them."""
    warnings.simplefilter("ignore")
    warnings.filterwarnings("default", message=BEGINNING)
    warnings.showwarning = lambda message, *_, **__: tell(f"warning: {message}")


def _give_way() -> None:
    """Let training have what it wants of cores and memory."""
    os.nice(_NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_KILL)


if __name__ == "__main__":
    sys.exit(main())
