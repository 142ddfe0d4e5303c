"""What can go wrong, told to the person at the terminal; and the exit codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pcm.printable import printable, printable_line


class ExitCode(IntEnum):
    """Exit codes of `pcm` and of `python -m pcm`."""

    DONE = 0
    EXPERIMENT_FAILED = 1
    USAGE = 2
    CONFIG_INVALID = 3
    REFUSED = 4
    NOT_FOUND = 5
    STOPPED = 75
    """Training alone: stopped on request, with a checkpoint to resume from."""
    INTERRUPTED = 130


class PcmError(Exception):
    """A mistake or a refusal that a person can act on; shown without a traceback.

    Args:
        message: what is wrong, and where.
        hint: what to try, or None.
    """

    exit_code = ExitCode.EXPERIMENT_FAILED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  try: {self.hint}"


class UsageError(PcmError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class RefusedError(PcmError):
    """The scheduler, the container runtime or the store refused."""

    exit_code = ExitCode.REFUSED


class NotFoundError(PcmError):
    """No such experiment or sweep."""

    exit_code = ExitCode.NOT_FOUND


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a config file.

    Attributes:
        problem: one sentence, e.g. "unknown key".
        file: the file's name as the user gave it; None for a value that came from no file.
        line: line in that file, from 1.
        key: dotted path of the key, e.g. `chain.encoder.cfg.input_dim`.
        found: the offending value as it is written.
        expected: what would have been right.
        hint: what to try, e.g. "did you mean 'input_dim'?".
    """

    problem: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    found: str | None = None
    expected: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        parts = (printable_line(place), printable_line(self.key or ""), printable(self.problem))
        head = ": ".join(filter(None, parts))
        details = [
            f"  {label}: {printable(text)}"
            for label, text in (
                ("found", self.found),
                ("expected", self.expected),
                ("try", self.hint),
            )
            if text is not None
        ]
        return "\n".join([head, *details])


class ConfigError(PcmError):
    """A config is invalid; carries every fault that was found, in file order."""

    exit_code = ExitCode.CONFIG_INVALID

    def __init__(self, faults: Sequence[Fault]) -> None:
        assert faults, "a ConfigError needs at least one fault"
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[tuple[Fault, ...]]]:
        return (type(self), (self.faults,))
