"""The process of a script: started, asked to stop, killed."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pcm.errors import PcmError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class ScriptProcess:
    """A command that runs beside this process, in the same session and process group.

    So the supervisor, which kills that group, leaves nothing of it.

    Args:
        hears_terminal: whether Ctrl-C may reach it; where this process makes a request to
            stop of it, it may not.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        hears_terminal: bool,
    ) -> None:
        try:
            with _defaults_after_exec(but=() if hears_terminal else (signal.SIGINT,)):
                self._popen = subprocess.Popen(words, env=environment, cwd=folder)
        except OSError as error:
            raise _cannot_start(words, folder, error) from error

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative for a signal's; None if it still runs after so long."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(seconds)
        return None

    def send(self, name: str) -> None:
        """Send it a signal by its name without SIG."""
        self._popen.send_signal(signal.Signals[f"SIG{name}"])

    def kill(self) -> None:
        """End it at once, if it hasn't ended."""
        self._popen.kill()
        self._popen.wait()


def _cannot_start(words: Sequence[str], folder: Path, error: OSError) -> PcmError:
    if not folder.is_dir():
        return PcmError(
            f"the script's folder is not here: {folder}",
            "it is where the launch was typed; it must be there on the nodes as well",
        )
    return PcmError(
        f"cannot start {words[0]!r} in {folder}: {error.strerror}",
        "correct `command` of `run:` in the grid file, or the PATH of the node or image",
    )


@contextmanager
def _defaults_after_exec(but: Sequence[int]) -> Iterator[None]:
    """Signals as a program expects them that is started meanwhile, but for some that it ignores.

    What is ignored here would stay ignored in it, whereas a handler becomes the default.
    """
    before = [
        (each, signal.signal(each, signal.SIG_IGN if each in but else _do_nothing))
        for each in _SIGNALS
    ]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def _do_nothing(*_: object) -> None:
    """A supervisor decides what a signal means."""
