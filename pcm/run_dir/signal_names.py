"""The names of signals, also of those that Python has no name for."""

import signal


def signal_name(number: int) -> str:
    """E.g. `SIGTERM`; `SIGRTMIN+6` for a real-time signal, which any program may send."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = getattr(signal, "SIGRTMIN", number)
        return f"SIGRTMIN+{number - first}" if number > first else f"signal {number}"
