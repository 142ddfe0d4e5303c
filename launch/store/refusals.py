"""Why a job made no attempt: for its other ranks, and for whoever launched it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from launch.damage import whole
from launch.store import LaunchDir
from pcm.errors import PcmError, RefusedError
from pcm.run_dir.trust import make_folder
from pcm.run_dir.typed_json import read, write
from pcm.secret_values import scrub


class HeldError(RefusedError):
    """Another attempt of the same experiment is running."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a job made no attempt.

    Attributes:
        message: for people.
        is_held: whether another attempt was running, so that nothing is wrong.
    """

    message: str
    is_held: bool = False


@contextmanager
def recorded_refusal(launch: LaunchDir, key: str) -> Iterator[None]:
    """Write down what goes wrong in the block."""
    try:
        yield
    except Exception as error:
        message = str(error) if isinstance(error, PcmError) else f"{type(error).__name__}: {error}"
        with suppress(OSError):
            _write(launch, key, Refusal(scrub(message), isinstance(error, HeldError)))
        raise


def _write(launch: LaunchDir, key: str, refusal: Refusal) -> None:
    # Of a launch that was deleted meanwhile nothing is to come back.
    if launch.jobs.is_dir():
        make_folder(launch.refusals(key), exist_ok=True)
        write(launch.refusal(key), refusal)


def read_refusal(launch: LaunchDir, key: str) -> Refusal | None:
    """Why the job of this key made no attempt; None if it did, or hasn't yet."""
    return whole(read(Refusal, launch.refusal(key)))
