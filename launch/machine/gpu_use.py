"""What a GPU of this machine is doing, as its driver's own program tells; nobody waits for it."""

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

PROGRAM = "nvidia-smi"

PATIENCE_S = 20.0
"""With a driver that is in trouble the program hangs; it is not asked again then."""


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What a GPU is doing; None for what it does not tell, as a part of one does not.

    Attributes:
        percent: of the last moments in which it computed anything.
        memory_mb: that is taken, by whomever.
        power_w: that it draws.
    """

    percent: float | None
    memory_mb: float | None
    power_w: float | None


def device_of_rank(visible: str | None, local_rank: int, gpus: int) -> str | None:
    """The GPU of a rank, by the driver's number or id; None where it has none.

    Args:
        visible: the rank's CUDA_VISIBLE_DEVICES; None where nothing is said.
        gpus: that the job has asked for on this node.
    """
    if visible is None:
        return str(local_rank) if gpus else None
    devices = [word.strip() for word in visible.split(",")]
    device = devices[local_rank] if local_rank < len(devices) else ""
    return device if device not in ("", "-1") else None


class GpuLook:
    """Looks at one GPU again and again, without ever waiting for an answer."""

    def __init__(self, device: str) -> None:
        self._program = shutil.which(PROGRAM)
        self._device = device
        self._running: subprocess.Popen[str] | None = None
        self._begun = 0.0

    def begin(self) -> None:
        """Ask, unless there is nobody to be asked, or the last answer is still to come."""
        if self._program is None or self._running is not None:
            return
        query = "--query-gpu=utilization.gpu,memory.used,power.draw"
        command = [self._program, "-i", self._device, query, "--format=csv,noheader,nounits"]
        try:
            self._running = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            )
        except OSError:
            self._program = None
        self._begun = time.monotonic()

    def answer(self) -> GpuUse | None:
        """What it has told since it was asked, once; None if there is nothing new."""
        if self._running is None:
            return None
        if self._running.poll() is None:
            if time.monotonic() > self._begun + PATIENCE_S:
                self.end()
            return None
        text, _ = self._running.communicate()
        self._running = None
        return parse_use(text)

    def end(self) -> None:
        """Ask no more."""
        self._program = None
        if self._running is not None:
            self._running.kill()
            # One that hangs in the driver outlives even that, and is left to it.
            with suppress(subprocess.TimeoutExpired):
                self._running.communicate(timeout=0.2)
            self._running = None


def parse_use(text: str) -> GpuUse | None:
    """`87, 40213, 612.10`, the first line of an answer; None where it is something else."""
    words = text.partition("\n")[0].split(",")
    use = GpuUse(*map(_number, words)) if len(words) == 3 else None
    return use if use != GpuUse(None, None, None) else None


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None  # `[N/A]`
