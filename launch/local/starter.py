"""Starts local jobs: forked where that is of use and possible, else afresh."""

import os
import uuid
from collections.abc import Sequence
from itertools import chain
from types import TracebackType
from typing import Self

from launch.local.nursery import ColdError, Nursery, is_of_use
from launch.store import Experiment
from launch.store.trust import require_trusted_launch
from launch.submit.local_job import LocalJob, submit_local
from launch.supervisor.job import Allocation, available_cores, local_job_text
from launch.user_settings import read_settings
from pcm.errors import RefusedError


def modules_to_preload(experiments: Sequence[Experiment]) -> list[str]:
    """What the user's settings and the launches of these experiments name, each module once."""
    launches = {each.launch.path: each.launch for each in experiments}
    named = [launch.record.get("preload") or () for launch in launches.values()]
    return list(dict.fromkeys([*read_settings().preload, *chain.from_iterable(named)]))


class Starter:
    """Starts the jobs of one launcher.

    Args:
        experiments: all that may be started.
        parallel: how many run at once, and share the cores.
        allocation: the job of Slurm that they run in; None for this machine.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        parallel: int,
        allocation: Allocation | None = None,
    ) -> None:
        self._experiments = experiments
        self._allocation = allocation
        cores = available_cores() if allocation is None else allocation.cores
        self._cores = cores // parallel
        self._nursery: Nursery | None = None

    def __enter__(self) -> Self:
        if is_of_use(self._experiments, os.environ):
            threads = max(1, self._cores // self._experiments[0].world_size)
            self._nursery = Nursery(threads, modules_to_preload(self._experiments))
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._nursery is not None:
            self._nursery.close()

    def is_ready(self) -> bool:
        """Whether a job may be started now."""
        return self._nursery is None or not self._nursery.is_loading()

    def start(self, experiment: Experiment, devices: list[str], checkpoint: str | None) -> LocalJob:
        """Start all ranks of one experiment.

        Raises:
            RefusedError: as for `submit_local`.
        """
        allocation = self._allocation
        key = uuid.uuid4().hex if allocation is None else allocation.new_key()

        def text(cold: str | None = None) -> str:
            return local_job_text(
                key,
                devices=",".join(devices),
                cores=self._cores,
                checkpoint=checkpoint,
                cold=cold,
                allocation=allocation,
            )

        cold = None
        if self._nursery is not None:
            require_trusted_launch(experiment.launch)
            try:
                return self._nursery.fork(experiment, key, text())
            except ColdError as error:
                cold = str(error)
            except OSError as error:
                raise RefusedError(f"can't start experiment {experiment.id}: {error}") from error
        return submit_local(
            experiment.launch, experiment.id, experiment.world_size, key, text(cold)
        )
