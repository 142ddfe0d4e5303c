"""From a grid and an executor to what came of launching it, one step at a time.

`propose` says what would be done, `prepare` finds and checks what that needs, and `carry_out`
does it. A command asks in between; `launch.api` doesn't.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from launch.classes import require_training, untrainable
from launch.executor import Executor
from launch.grid import Grid
from launch.local.gpus_here import require_gpus_here
from launch.local.running import run_here
from launch.plan import Plan
from launch.site import site_of
from launch.slurm.commands import require_slurm
from launch.status.state import Line
from launch.store import Experiment, Store
from launch.submit.completion import Completion
from launch.submit.following import follow
from launch.submit.images import with_image
from launch.submit.launches import Launched, launch_on_slurm, plan_of, settle_earlier
from launch.submit.shipping import with_checkout
from launch.submit.short_limits import short_limits
from launch.telling import Tell

Show = Callable[[Sequence[Line]], None]
"""Called again and again with all experiments as they stand."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A grid, and what launching it would do.

    Attributes:
        site: a site's name or file; None for one without any peculiarity.
    """

    grid: Grid
    store: Store
    executor: Executor
    site: str | None
    plan: Plan

    @property
    def warnings(self) -> list[str]:
        """What the grid's author should know."""
        warnings = list(self.grid.warnings)
        if self.executor is Executor.SLURM:
            asked = (item.resources for item in self.plan.work)
            warnings += [*self.grid.unmet, *short_limits(asked, site_of(self.site))]
        if self.plan.work and (problem := untrainable(self.grid, site_of(self.site))):
            warnings.append(problem)
        return warnings

    def experiments(self) -> list[Experiment]:
        """The points that are in the store, new or not, in the grid's order."""
        return _experiments(self.store, [point.id for point in self.grid.points])


@dataclass(frozen=True, slots=True)
class Launch:
    """What came of it.

    Attributes:
        completion: how the experiments ended; None if nobody waited for them.
    """

    launched: Launched
    completion: Completion | None


def propose(grid: Grid, store: Store, executor: Executor, site: str | None, tell: Tell) -> Proposal:
    """What a launch would do now. Changes nothing.

    Args:
        tell: called with what is missing where Slurm can't be asked.

    Raises:
        ConfigError: here it would end for want of GPUs.
    """
    plan = plan_of(grid, store, site_of(site), tell)
    if executor is Executor.LOCAL:
        require_gpus_here(grid, {item.id for item in plan.work})
    return Proposal(grid, store, executor, site, plan)


def settle(store: Store, executor: Executor, tell: Tell) -> None:
    """Before a launch is proposed: find out what became of those that were cut short.

    Raises:
        RefusedError: there are some, and Slurm doesn't answer.
    """
    if executor is Executor.SLURM:
        settle_earlier(store, tell)


def prepare(proposal: Proposal, tell: Tell) -> Proposal:
    """The same with its code and its image found and checked.

    Raises:
        RefusedError: the executor can't run it.
        UsageError: it makes no sense with this executor.
    """
    if proposal.executor is Executor.SLURM:
        require_slurm()
    executor, root, site = proposal.executor, proposal.store.root.path, site_of(proposal.site)
    require_training(proposal.grid, site)
    grid = with_checkout(proposal.grid, executor, site, root, tell)
    return replace(proposal, grid=with_image(grid, executor, site, root, tell))


def launch_now(
    grid: Grid,
    store: Store,
    executor: Executor,
    site: str | None,
    *,
    show: Show,
    tell: Tell,
    wait: bool,
    max_parallel: int | None = None,
) -> Launch:
    """Launch what is new of a grid, without asking anybody.

    Raises:
        RefusedError: the executor doesn't take it.
    """
    settle(store, executor, tell)
    proposal = propose(grid, store, executor, site, tell)
    if proposal.plan.work:
        proposal = prepare(proposal, tell)
    return carry_out(proposal, show, tell, wait=wait, max_parallel=max_parallel)


def carry_out(
    proposal: Proposal,
    show: Show,
    tell: Tell,
    *,
    wait: bool,
    max_parallel: int | None,
) -> Launch:
    """Launch what is new of a grid that was prepared.

    Args:
        show: called every now and then with the experiments that are waited for.
        wait: stay until what Slurm was given has ended; what runs here is waited for anyway.
        max_parallel: on this machine; for None as many as fit.

    Raises:
        RefusedError: the executor doesn't take them.
    """
    grid, store, site = proposal.grid, proposal.store, proposal.site
    ids = [item.id for item in proposal.plan.work]
    if not ids:
        return Launch(Launched([]), Completion({}, is_interrupted=False))
    if proposal.executor is Executor.SLURM:
        launched = launch_on_slurm(grid, store, ids, site, tell)
        return Launch(launched, follow(launched, store, site, show, tell) if wait else None)
    store.freeze(grid, details={"executor": str(proposal.executor), "site": site})
    experiments = _experiments(store, ids)
    run = run_here(experiments, proposal.executor, show, max_parallel=max_parallel)
    return Launch(Launched(experiments), run)


def _experiments(store: Store, ids: Sequence[str]) -> list[Experiment]:
    known = {experiment.id: experiment for experiment in store.experiments()}
    # The line of one that has run may be damaged since.
    return [known[each] for each in ids if each in known]
