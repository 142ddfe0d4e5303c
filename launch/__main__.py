"""The command `pcm`, also as `python -m launch`."""

import gc
import signal


def main() -> None:
    """Load the command line, in half a second in which there is nothing to lose, and run it."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:
        # Else a Ctrl-C among imports ends with forty lines of where it has met them.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The collector would look at what is imported again and again, and once more at the end.
    gc.disable()
    from launch.cli import app

    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, on_interrupt)
    try:
        app()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
