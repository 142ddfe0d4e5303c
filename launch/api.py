"""What the commands do, for Python: typed functions that return records and print nothing.

    from launch import api as pcm

    launched = pcm.launch("grid.yaml", executor="local")
    pcm.results("my-sweep")

What a command would print to a person is a record here; what would end it is a `PcmError`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.answers import (
    eff,
    experiments,
    logs,
    report,
    results,
    show,
    status,
    structure,
    structures,
    sync,
    validate,
    why,
)
from launch.container.syncing import Sent
from launch.damage import told_damage
from launch.executor import Code, Executor
from launch.image.contents import Contents, VerifiedImage
from launch.image.order import build_image, show_image, verify_image
from launch.image.record import Record as BuiltImage
from launch.importing.writing import ImportedSweep
from launch.importing.writing import import_sweep as _import_sweep
from launch.plan import Plan
from launch.projects.beginning import Kind, begin_project
from launch.proposal import Launch, launch_now
from launch.report.explain import Explanation
from launch.results.collection import Results
from launch.results.rows import Result
from launch.results.taking import Efficiency
from launch.resumption import Resumption, choose_resumable, resume_chosen
from launch.single_experiment import train
from launch.site import chosen_site, site_of
from launch.site.known import KnownSite, SiteFile, site, sites
from launch.status.looking import lines_of
from launch.status.state import Line, State
from launch.store import Experiment
from launch.store.finding import find_experiments, open_store
from launch.store.output import Log
from launch.submit.cancelling import cancel_all
from launch.submit.completion import Completion
from launch.submit.launches import plan_of
from launch.telling import Tell, say_nothing
from launch.validate import CheckedFile
from launch.wishes import wishes_of
from pcm.errors import PcmError, RefusedError

__all__ = [
    "BuiltImage",
    "CheckedFile",
    "Code",
    "Completion",
    "Contents",
    "Efficiency",
    "Executor",
    "Experiment",
    "Explanation",
    "ImportedSweep",
    "Kind",
    "KnownSite",
    "Launch",
    "Line",
    "Log",
    "PcmError",
    "Plan",
    "Result",
    "Results",
    "Resumption",
    "Sent",
    "SiteFile",
    "State",
    "VerifiedImage",
    "build_image",
    "cancel",
    "eff",
    "experiments",
    "import_sweep",
    "init",
    "launch",
    "logs",
    "plan",
    "report",
    "results",
    "resume",
    "show",
    "show_image",
    "site",
    "sites",
    "status",
    "structure",
    "structures",
    "sync",
    "train",
    "validate",
    "verify_image",
    "why",
]

Show = Callable[[Sequence[Line]], None]
"""Called again and again with the experiments that are waited for."""


def init(folder: str | Path, *, model: Kind | str = Kind.CLASS) -> list[Path]:
    """Write a small project that runs at once, and overwrite nothing.

    Args:
        model: what trains in it: `class`, `script` or `chain`.

    Returns:
        The files.

    Raises:
        RefusedError: one of them is there, or the folder can't be written.
    """
    return begin_project(Kind(model), Path(folder))


def import_sweep(file: str | Path, *, output: str | Path = "grid.yaml") -> ImportedSweep:
    """Write a grid file that runs the points of another tool's sweep, and overwrite nothing.

    Args:
        file: of SEML, LightningCLI or sbatch, or a file or folder of Hydra.
        output: the grid file; what it names is written beside it.

    Raises:
        ConfigError: the file is of no tool that is known, or can't be read.
        RefusedError: a file that would be written is there.
    """
    return _import_sweep(Path(file), Path(output))


def plan(
    grid: str | Path,
    *,
    site: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    runs_dir: str | Path | None = None,
    tell: Tell = say_nothing,
) -> Plan:
    """What launching a grid file would do now.

    Args:
        site: a site's name or file.
        overrides: values of every point, by path, e.g. `{"model.training.max_epochs": 3}`.
        resources: entries of `resources`, which win over the file's.
        runs_dir: folder of all sweeps; else `$PCM_RUNS_DIR`, else `./runs`.
        tell: called with what is missing where Slurm can't be asked, and with damaged files.

    Raises:
        ConfigError: with everything that is wrong with the grid.
    """
    expanded = wishes_of(overrides, resources).expand(Path(grid))
    with told_damage(tell):
        return plan_of(expanded, open_store(runs_dir), site_of(chosen_site(site)), tell)


def launch(
    grid: str | Path,
    *,
    executor: Executor | str = Executor.SLURM,
    site: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    tracker: str | None = None,
    image: str | Path | None = None,
    code: Code | str | None = None,
    runs_dir: str | Path | None = None,
    wait: bool = False,
    show: Show = lambda _lines: None,
    tell: Tell = say_nothing,
) -> Launch:
    """Run what is new of a grid file, as `pcm launch --yes` does.

    Args:
        executor: `slurm`, `local` or `debug`; see `plan` for the other arguments.
        tracker: where metrics go besides the run directory, or `none`.
        image: path of an Apptainer image.
        code: `snapshot` ships the checkout here.
        wait: return when what Slurm was given has ended; what runs here is waited for anyway.
        show: called every now and then with the experiments that are waited for.
        tell: called with what a person who waits wants to know.

    Raises:
        ConfigError: with everything that is wrong with the grid.
        RefusedError: the executor doesn't take it.
    """
    where = Executor(executor)
    wishes = wishes_of(overrides, resources, tracker, image, code).for_executor(where)
    expanded, store = wishes.expand(Path(grid)), open_store(runs_dir)
    with told_damage(tell):
        return launch_now(
            expanded,
            store,
            where,
            chosen_site(site),
            show=show,
            tell=tell,
            wait=wait,
            max_parallel=wishes.resources.get("max_parallel"),
        )


def resume(
    *words: str,
    failed: bool = False,
    checkpoint: str | None = None,
    executor: Executor | str | None = None,
    max_parallel: int | None = None,
    runs_dir: str | Path | None = None,
    show: Show = lambda _lines: None,
    tell: Tell = say_nothing,
) -> Resumption:
    """Go on with what was stopped, has failed, was cancelled, got lost or never started.

    Args:
        words: sweeps, ids or names of experiments, or unique beginnings; at least one.
        failed: only those that failed.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.
        executor: as they were launched for None.

    Raises:
        NotFoundError: a word stands for nothing, or there is no such checkpoint.
        RefusedError: the executor doesn't take them.
    """
    store = open_store(runs_dir)
    with told_damage(tell):
        choice = choose_resumable(find_experiments(store, _some(words)), tell, failed=failed)
        return resume_chosen(
            choice,
            store,
            show,
            tell,
            executor=None if executor is None else Executor(executor),
            max_parallel=max_parallel,
            checkpoint=checkpoint,
        )


def cancel(*words: str, now: bool = False, runs_dir: str | Path | None = None) -> list[Line]:
    """Stop experiments for good, with a checkpoint.

    Args:
        now: kill what runs; its newest checkpoint is what is left.

    Returns:
        Those that were meant, as they stood; what is done is left out.

    Raises:
        RefusedError: what waits in Slurm's queue could not be taken out of it. It ends as soon
            as it starts.
    """
    store = open_store(runs_dir)
    lines = lines_of(find_experiments(store, _some(words)))
    meant = [line for line in lines if line.state is not State.DONE]
    trouble = cancel_all(store.root, [line.id for line in meant], at_once=now)
    if trouble is not None:
        raise RefusedError(f"cancelled, but still in Slurm's queue: {trouble}")
    return meant


def _some(words: Sequence[str]) -> Sequence[str]:
    """The words; none at all would mean everything.

    Raises:
        ValueError: there are none.
    """
    if not words:
        raise ValueError("name sweeps or experiments")
    return words
