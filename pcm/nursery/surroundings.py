"""What modules may change beside themselves as they are loaded.

A fresh process has such a change in its own course, or not at all; those forked from one process
would all have it, from their beginning on.
"""

import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

Surroundings = dict[str, Any]
"""What there is, by what changing it is called."""

_VARIABLES = "changed variables of the environment"


def surroundings() -> Surroundings:
    """As they are now."""
    return {
        "drew random numbers": (random.getstate(), *_states_of_libraries()),
        "changed torch's defaults": _torch_defaults(),
        _VARIABLES: dict(os.environ),
        "changed the working directory": Path().stat().st_ino,
        "changed the umask": umask_now(),
        "replaced a standard stream": (sys.stdin, sys.stdout, sys.stderr),
        "handles signals": [signal.getsignal(each) for each in signal.valid_signals()],
        "set how processes are started": multiprocessing.get_start_method(allow_none=True),
    }


def first_change(before: Surroundings) -> str | None:
    """What has been changed since then; None for nothing. Further variables are no change."""
    now = surroundings()
    now[_VARIABLES] = {name: now[_VARIABLES].get(name) for name in before[_VARIABLES]}
    return next((what for what, there_was in before.items() if now[what] != there_was), None)


def _states_of_libraries() -> list[bytes | str]:
    found: list[bytes | str] = []
    if (numpy := sys.modules.get("numpy")) is not None:
        _, words, *rest = numpy.random.get_state()
        found += [words.tobytes(), repr(rest)]
    if (torch := sys.modules.get("torch")) is not None:
        found.append(torch.get_rng_state().numpy().tobytes())
    return found


def _torch_defaults() -> list[Any]:
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    return [
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_float32_matmul_precision(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
    ]


def umask_now() -> int:
    """That of this process, which can only be read by setting it: for where there is one thread."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
