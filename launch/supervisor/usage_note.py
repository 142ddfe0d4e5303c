"""What a rank's processes take of cores, memory and GPU, summed up in one small file."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from launch.machine.consumption import consumption_of
from launch.machine.gpu_use import GpuLook, GpuUse
from launch.machine.processes import Process
from pcm.run_dir.records import UsageRecord, UsageSample
from pcm.run_dir.typed_json import write

INTERVAL_S = 30.0
"""Between two looks, and between two notes."""

FIRST_S = 1.0
"""To the first look. The gaps double until they are as they stay, so that something is known of
short trainings, too; no more is written for it."""

MOST_SHARE = 0.01
"""Of the time that may go into looking: the kernel takes 20 ms a gigabyte of memory to tell whose
it is, and some trainings have hundreds."""


@dataclass(slots=True)
class Mean:
    """A mean over time, and the greatest value; None before the first value."""

    seconds: float = 0.0
    total: float = 0.0
    greatest: float | None = None

    def add(self, value: float | None, seconds: float) -> None:
        """A value that stands for some seconds; None is none."""
        if value is not None:
            self.seconds += seconds
            self.total += value * seconds
            self.greatest = value if self.greatest is None else max(self.greatest, value)

    @property
    def mean(self) -> float | None:
        """None before the first value."""
        return round(self.total / self.seconds, 1) if self.seconds else None


class UsageNote:
    """Keeps the note of one rank's training process.

    Args:
        gpu: looks at its GPU; None where it has none.
        interval_s: between two looks, and between two notes.
    """

    def __init__(
        self,
        path: Path,
        training: Process,
        gpu: GpuLook | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._path = path
        self._training = training
        self._gpu = gpu
        self._interval_s = interval_s
        self._gap_s = min(FIRST_S, interval_s)
        self._begun = self._seen = self._written = time.monotonic()
        self._samples = 0
        # One that was there before, waiting, has had time that is not this attempt's.
        before = consumption_of(training)
        self._cpu_seen_s = 0.0 if before is None else before.cpu_s
        self._cores, self._memory = Mean(), Mean()
        self._gpu_percent, self._gpu_memory, self._gpu_power = Mean(), Mean(), Mean()
        self._gpu_use = GpuUse(None, None, None)
        self._newest: UsageSample | None = None

    def renew(self) -> None:
        """Look, and write down what is known, if it is time."""
        now = time.monotonic()
        self._take_answer()
        if now < self._seen + self._gap_s:
            return
        self._look(now)
        took = time.monotonic() - now
        self._gap_s = max(min(2 * self._gap_s, self._interval_s), took / MOST_SHARE)
        if now >= self._written + self._interval_s:
            self._written = now
            self._write()

    def close(self) -> None:
        """Write down what is known; training has ended."""
        self._take_answer()
        if self._gpu is not None:
            self._gpu.end()
        self._write()

    def _look(self, now: float) -> None:
        if self._gpu is not None:
            self._gpu.begin()
        seconds, self._seen = now - self._seen, now
        taken = consumption_of(self._training)
        if taken is None:
            return
        self._samples += 1
        # The time of a worker that nobody has waited for is gone with it.
        had = max(0.0, taken.cpu_s - self._cpu_seen_s)
        self._cpu_seen_s = taken.cpu_s
        self._cores.add(had / seconds, seconds)
        self._memory.add(taken.memory_mb, seconds)
        # The GPU answers later, and so tells of the moment before.
        gpu = self._gpu_use
        self._newest = UsageSample(
            time=round(time.time(), 1),
            cores=round(had / seconds, 2),
            memory_mb=round(taken.memory_mb, 1),
            gpu_percent=gpu.percent,
            gpu_memory_mb=gpu.memory_mb,
            gpu_power_w=gpu.power_w,
        )

    def _take_answer(self) -> None:
        use = None if self._gpu is None else self._gpu.answer()
        if use is not None:
            self._add_gpu(use)

    def _add_gpu(self, use: GpuUse) -> None:
        self._gpu_use = use
        self._gpu_percent.add(use.percent, self._gap_s)
        self._gpu_memory.add(use.memory_mb, self._gap_s)
        self._gpu_power.add(use.power_w, self._gap_s)

    def _write(self) -> None:
        if self._samples == 0:
            return
        record = UsageRecord(
            samples=self._samples,
            seconds=round(self._cores.seconds, 2),
            cpu_s=round(self._cores.total, 2),
            cores_max=round(self._cores.greatest or 0.0, 2),
            memory_mb=round(self._memory.greatest or 0.0, 1),
            gpu_percent=self._gpu_percent.mean,
            gpu_percent_max=self._gpu_percent.greatest,
            gpu_memory_mb=self._gpu_memory.greatest,
            gpu_power_w=self._gpu_power.mean,
            newest=self._newest,
        )
        # A full disk must not end training.
        with suppress(OSError):
            write(self._path, record, durable=False)
