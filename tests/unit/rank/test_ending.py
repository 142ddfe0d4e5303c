"""What still happens when a training process leaves, and what doesn't."""

import subprocess
import sys

from pcm.errors import ExitCode

PROGRAM = """
from pcm.rank import ending
import atexit, logging, sys, threading, time

class Library:
    def __del__(self):
        print("taken apart")

def upload():
    time.sleep(0.2)
    print("uploaded")

kept = Library()
kept.itself = kept
logging.basicConfig(stream=sys.stdout)
atexit.register(logging.warning, "a user's hook")
threading.Thread(target=upload).start()
print("unflushed", end=" ")
ending.leave(int(sys.argv[1]))
"""


def end_with(code: int, program: str = PROGRAM) -> tuple[int, str]:
    command = [sys.executable, "-c", program, str(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_threads_and_hooks_come_to_their_end_and_libraries_are_not_taken_apart() -> None:
    code, output = end_with(ExitCode.STOPPED)
    assert code == ExitCode.STOPPED
    assert output == "unflushed uploaded\nWARNING:root:a user's hook\n"


def test_who_does_not_leave_ends_as_ever() -> None:
    assert "taken apart" in end_with(0, PROGRAM.replace("ending.leave(", "sys.exit("))[1]


def test_a_thread_that_never_ends_is_named_and_left() -> None:
    forever = 'threading.Thread(target=threading.Event().wait, name="uploader").start()\n'
    soon = "ending.TOLD_AFTER_S = ending.PATIENCE_S = 0.01\n"
    program = PROGRAM.replace("ending.leave(", f"{forever}{soon}ending.leave(")
    command = [sys.executable, "-c", program, str(ExitCode.DONE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == ExitCode.DONE
    assert "still waits for" in done.stderr
    assert "uploader" in done.stderr
    assert done.stdout.startswith("unflushed")
