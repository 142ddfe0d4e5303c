"""`python -m pcm RUN_DIR`: one rank of one experiment."""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pcm.errors import ExitCode, PcmError
from pcm.rank.ending import flush, leave
from pcm.rank.libraries import needed_libraries
from pcm.rank.ranks import Ranks
from pcm.rank.stop import StopRequest, ignored_signals, signals_as_request
from pcm.rank.supervisor_line import SupervisorLine
from pcm.rank.task import Task, leave_at_once, record_error
from pcm.run_dir import RunDir
from pcm.run_dir.line import line_of
from pcm.run_dir.records import ErrorRecord
from pcm.run_dir.trust import make_folder
from pcm.secret_values import scrub


def main(arguments: list[str] | None = None) -> int:
    """Train one rank; the exit code says how it ended."""
    with ExitStack() as stack:
        if "RANK" in os.environ:
            # Before anything that takes time: a signal now must not kill.
            stack.enter_context(ignored_signals())
        try:
            code = _run(_parse(arguments), stack)
        except PcmError as error:
            print(scrub(str(error)), file=sys.stderr)
            code = error.exit_code
    if code not in (ExitCode.DONE, ExitCode.STOPPED) and "RANK" in os.environ:
        # Other ranks may be gone or stuck, and some libraries wait for them at exit.
        flush()
        os._exit(code)
    return code


def _run(options: argparse.Namespace, stack: ExitStack) -> ExitCode:
    ranks = Ranks.from_environment()
    run_dir = RunDir(options.run_dir)
    if options.attempt is not None:
        attempt = run_dir.attempt(options.attempt)
        make_folder(attempt.path, exist_ok=True)
        if not ranks.is_supervised:
            stack.enter_context(signals_as_request(attempt))
    elif ranks.is_supervised:
        raise PcmError("a supervised rank needs --attempt")
    else:
        with needed_libraries():
            from pcm.rank.unsupervised import own_attempt
        attempt = stack.enter_context(own_attempt(run_dir))
    line = SupervisorLine(line_of(attempt.path, ranks.rank)) if ranks.is_supervised else None
    stop = stack.enter_context(StopRequest(attempt, line=line))
    task = Task(run_dir, attempt, options.checkpoint, ranks, stop)
    if ranks.is_first and stop.look():
        return leave_at_once(task)
    try:
        work = _load(task)
    except PcmError as error:
        kind, text = type(error).__name__, scrub(str(error))
        record_error(task, ErrorRecord(kind, text, rank=ranks.rank))
        raise
    return work.train()


class _Work(Protocol):
    def train(self) -> ExitCode:
        """Do it; the exit code says how it ended, as its records do."""


def _load(task: Task) -> _Work:
    with needed_libraries():
        from pcm.scripts.script_run import ScriptRun, is_script
    if is_script(task.run_dir):
        return ScriptRun(task)
    # Torch and Lightning take seconds; the stop file is being watched meanwhile.
    with needed_libraries():
        from pcm.training.run import Run
    return Run(task)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pcm", description=__doc__)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="the experiment's folder")
    parser.add_argument("--attempt", type=int, metavar="N", help="its attempt; default: the next")
    parser.add_argument(
        "--checkpoint",
        metavar="NAME",
        help="go on from this one: a file name, best or last; default: the newest that is whole",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    exit_code = main()
    if "RANK" in os.environ:
        leave(exit_code)
    # Whoever debugs goes on in this process.
    sys.exit(exit_code)
