"""Starts local jobs: forked where that is of use and possible, else afresh."""

import os
import uuid
from collections.abc import Callable, Sequence
from itertools import chain
from types import TracebackType
from typing import Self

from launch.local.image_groups import groups_inside, surroundings, trains_inside
from launch.local.inside import InsideNursery
from launch.local.nursery import Nursery, is_of_use, is_script, is_wanted
from launch.store import Experiment
from launch.store.trust import require_trusted_launch
from launch.submit.local_job import LocalJob, submit_local
from launch.supervisor.forked import ColdError
from launch.supervisor.job import Allocation, available_cores, local_job_text
from launch.user_settings import read_settings
from pcm.errors import RefusedError

NOT_STARTED = "no other rank trains in its image and sees the same there, or too many others do"
"""Why an experiment's image was not started for several."""


def modules_to_preload(experiments: Sequence[Experiment]) -> list[str]:
    """What the user's settings and the launches of these experiments name, each module once."""
    launches = {each.launch.path: each.launch for each in experiments}
    named = [launch.record.get("preload") or () for launch in launches.values()]
    return list(dict.fromkeys([*read_settings().preload, *chain.from_iterable(named)]))


def never() -> bool:
    """Nobody gives up."""
    return False


class Starter:
    """Starts the jobs of one launcher.

    Args:
        experiments: all that may be started.
        parallel: how many run at once, and share the cores.
        allocation: the job of Slurm that they run in; None for this machine.
        is_given_up: asked while an image is copied to this node.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        parallel: int,
        allocation: Allocation | None = None,
        is_given_up: Callable[[], bool] = never,
    ) -> None:
        self._experiments = experiments
        self._allocation = allocation
        self._is_given_up = is_given_up
        cores = available_cores() if allocation is None else allocation.cores
        self._cores = cores // parallel
        self._nursery: Nursery | None = None
        self._is_forking_inside = False
        self._inside: dict[str, InsideNursery] = {}

    def __enter__(self) -> Self:
        threads = max(1, self._cores // self._experiments[0].world_size)
        is_here = is_of_use(self._experiments, os.environ)
        self._is_forking_inside = is_wanted(
            list(filter(trains_inside, self._experiments)), os.environ
        )
        for key, group in groups_inside(self._experiments).items():
            launch, modules = group[0].launch, modules_to_preload(group)
            self._inside[key] = InsideNursery(launch, threads, modules, self._is_given_up)
        are_scripts = is_wanted(list(filter(is_script, self._experiments)), os.environ)
        if is_here or self._is_forking_inside or are_scripts:
            modules = modules_to_preload(self._experiments) if is_here else []
            self._nursery = Nursery(threads, modules, is_for_training=is_here)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for nursery in self._nurseries():
            nursery.close()

    def is_ready(self) -> bool:
        """Whether a job may be started now."""
        return not any(each.is_loading() for each in self._nurseries())

    def start(self, experiment: Experiment, devices: list[str], checkpoint: str | None) -> LocalJob:
        """Start all ranks of one experiment.

        Raises:
            RefusedError: as for `submit_local`.
        """
        allocation = self._allocation
        key = uuid.uuid4().hex if allocation is None else allocation.new_key()

        def text(cold: str | None = None, nursery: str | None = None) -> str:
            return local_job_text(
                key,
                devices=",".join(devices),
                cores=self._cores,
                checkpoint=checkpoint,
                cold=cold,
                nursery=nursery,
                allocation=allocation,
            )

        nursery, cold = self._nursery_inside(experiment)
        # Of these the supervisor is forked alone.
        is_elsewhere = is_script(experiment) or nursery is not None or cold is not None
        try:
            if self._nursery is not None:
                require_trusted_launch(experiment.launch)
                its = text(cold, nursery)
                return self._nursery.fork(experiment, key, its, is_training=not is_elsewhere)
        except ColdError as error:
            cold = cold if is_elsewhere else str(error)
        except OSError as error:
            raise RefusedError(f"can't start experiment {experiment.id}: {error}") from error
        return submit_local(
            experiment.launch, experiment.id, experiment.world_size, key, text(cold, nursery)
        )

    def _nursery_inside(self, experiment: Experiment) -> tuple[str | None, str | None]:
        """The socket of what forks its training inside an image; or why it must start afresh."""
        if not self._is_forking_inside or not trains_inside(experiment):
            return None, None
        nursery = self._inside.get(surroundings(experiment.launch))
        if nursery is None:
            return None, NOT_STARTED
        try:
            return nursery.name(), None
        except ColdError as error:
            return None, str(error)

    def _nurseries(self) -> list[Nursery | InsideNursery]:
        """All that were started, those in images last."""
        return [*filter(None, [self._nursery]), *self._inside.values()]
