"""`python -m pcm.nursery NAME [MODULE...]` forks trainings inside an image.

It has loaded what training needs, which takes seconds, and does nothing but fork then. It has
no thread and has used no GPU. Supervisors, which are outside, ask it by an abstract socket.
"""

import gc
import json
import os
import signal
import sys

from pcm import __version__
from pcm.nursery.loaded import LoadedCode, load
from pcm.nursery.orders import open_files
from pcm.nursery.serving import listen, serve
from pcm.nursery.tie import die_with, start_time

_DEAF_TO = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""What a scheduler or a person may send: supervisors alone decide what that means."""


def main() -> None:
    """Load, say so, and fork whenever a supervisor asks; in a training process this trains."""
    name, *preload = sys.argv[1:]
    loaded_with = dict(os.environ)
    die_with(os.getppid())
    for each in _DEAF_TO:
        signal.signal(each, signal.SIG_IGN)
    # A shell has what it puts in the background ignore this one.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEAF_TO)
    # What modules print as they are loaded is no answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    trouble = load(preload)
    listener = listen(name)
    kept = open_files() - {answer, listener.fileno()}
    code = LoadedCode()
    gc.freeze()
    hello = {"cold": trouble, "version": __version__, "pid": os.getpid()}
    hello["started"] = start_time(os.getpid())
    os.write(answer, json.dumps(hello).encode() + b"\n")
    if trouble is None:
        serve(listener, loaded_with, kept, code).follow()


if __name__ == "__main__":
    main()
