"""`python -m pcm.tracking RUN_DIR`: bring the experiment's tracker run up to date.

With `--follow`, do so until standard input ends; training starts it like that. With
`--watch`, for many experiments. With `--each`, for many as well, but once.
"""

import argparse
import os
import sys
import threading
from pathlib import Path

from pcm.companion import work_beside_parent
from pcm.errors import ExitCode, PcmError
from pcm.run_dir import RunDir
from pcm.tracking.follow import follow, late_warning
from pcm.tracking.sending import send, send_each
from pcm.tracking.watch import watch

_WATCH_HELP = "RUN_DIR has many; standard input names those to feed until it ends"
_EACH_HELP = "RUN_DIR has many; standard input names those to feed, standard output gets JSON"
_GRACE_HELP = "seconds for the rest then, unless standard input said how many"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pcm.tracking", description=__doc__)
    parser.add_argument("run_dir", type=Path, help="run directory of the experiment")
    parser.add_argument("--follow", action="store_true", help="until standard input ends")
    parser.add_argument("--watch", action="store_true", help=_WATCH_HELP)
    parser.add_argument("--each", action="store_true", help=_EACH_HELP)
    parser.add_argument("--to", action="append", default=[], help="a tracker; repeatable")
    parser.add_argument("--grace", type=float, default=15.0, help=_GRACE_HELP)
    options = parser.parse_args(arguments)
    run_dir = RunDir(options.run_dir.resolve())
    try:
        if options.follow:
            _follow_parent(run_dir, options.grace)
        elif options.watch:
            return _watch(run_dir.path, options.to)
        elif options.each:
            _send_each(run_dir.path, options.to)
        else:
            return _sync(run_dir, options.to)
    except PcmError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return ExitCode.DONE


def _watch(folder: Path, to: list[str]) -> ExitCode:
    def tell(line: str) -> None:
        # In one piece: several trackers are told of at the same time.
        print(f"{line}\n", end="", flush=True)

    watched = watch(folder, to, tell)
    if watched.hangs:
        # What clients do at the end of a process would wait for what hangs.
        os._exit(ExitCode.REFUSED)
    return ExitCode.DONE if watched.is_all_sent else ExitCode.REFUSED


def _sync(run_dir: RunDir, to: list[str]) -> int:
    answer = send(run_dir, to)
    for line in answer.sent:
        print(line)
    for line in answer.errors:
        print(line, file=sys.stderr)
    return answer.code


def _send_each(folder: Path, to: list[str]) -> None:
    # What tracker clients print must not come between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    names = sys.stdin.read().splitlines()
    with os.fdopen(answers, "w", buffering=1) as stream:
        send_each(folder, names, to, lambda line: print(line, file=stream))


def _follow_parent(run_dir: RunDir, grace: float) -> None:
    stderr = os.fdopen(_silence_output(), "w", buffering=1)

    def warn(message: str) -> None:
        print(f"warning: {message}", file=stderr)

    def work(ended: threading.Event) -> None:
        follow(run_dir, ended, warn)

    work_beside_parent(work, lambda left: warn(late_warning(run_dir, left)), grace)


def _silence_output() -> int:
    """Send what tracker clients print to nowhere; returns a descriptor of the real stderr."""
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return stderr


if __name__ == "__main__":
    sys.exit(main())
