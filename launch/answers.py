"""What the commands that look answer, for Python: no torch, and nothing is printed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from launch.container.syncing import Sent, send_each
from launch.damage import told_damage
from launch.report.experiment import experiment_record
from launch.report.explain import Explanation, explain
from launch.report.page.gathering import Gathering
from launch.report.page.html import page
from launch.results.collection import Results
from launch.results.rows import results_of
from launch.results.taking import Efficiency, efficiency_of
from launch.status.looking import Looking, lines_of
from launch.status.state import Line
from launch.store import Experiment
from launch.store.finding import find_experiments, open_store
from launch.store.output import Log, logs_of
from launch.telling import Tell, say_nothing
from launch.validate import CheckedFile, check_file
from launch.wishes import require_trackers
from pcm.config.describe import describe_at
from pcm.config.structures import spec_paths
from pcm.run_dir import write_text


def validate(*files: str | Path) -> list[CheckedFile]:
    """What each config file is, with every fault of it; a grid's points are all checked."""
    return [check_file(Path(file)) for file in files]


def structures() -> list[str]:
    """The spec paths of all there is a structure of."""
    return spec_paths()


def structure(path: str) -> str:
    """What a config must look like at a spec path, e.g. `model` or `latent/posterior_gaussian`.

    Raises:
        NotFoundError: there is nothing at it.
    """
    return describe_at(path)


def status(*words: str, runs_dir: str | Path | None = None, tell: Tell = say_nothing) -> list[Line]:
    """Where experiments stand; all of them for no words."""
    with told_damage(tell):
        return lines_of(experiments(*words, runs_dir=runs_dir), tell)


def results(*words: str, runs_dir: str | Path | None = None, tell: Tell = say_nothing) -> Results:
    """One record an experiment: its axes and its last metrics; of all for no words."""
    with told_damage(tell):
        return Results(results_of(experiments(*words, runs_dir=runs_dir), tell))


def experiments(*words: str, runs_dir: str | Path | None = None) -> list[Experiment]:
    """The experiments that the words name: their configs, run directories, ids."""
    return find_experiments(open_store(runs_dir), words)


def logs(
    *words: str,
    rank: int | None = None,
    attempt: int | None = None,
    runs_dir: str | Path | None = None,
) -> list[Log]:
    """What experiments printed, by rank, as files that may still grow; of all for no words.

    What has not started has none.

    Args:
        rank: of this one alone.
        attempt: its number; else each experiment's newest.
    """
    return list(logs_of(experiments(*words, runs_dir=runs_dir), rank, attempt))


def eff(*words: str, runs_dir: str | Path | None = None, tell: Tell = say_nothing) -> Efficiency:
    """What experiments took of what they asked for; of all for no words."""
    with told_damage(tell):
        return efficiency_of(experiments(*words, runs_dir=runs_dir), tell)


def why(
    *words: str, runs_dir: str | Path | None = None, tell: Tell = say_nothing
) -> dict[str, Explanation]:
    """Why experiments wait, or how they came to their end, by their ids; of all for no words."""
    with told_damage(tell):
        found = experiments(*words, runs_dir=runs_dir)
        pairs = zip(found, lines_of(found, tell), strict=True)
        return {each.id: explain(each, line.status) for each, line in pairs}


def show(
    *words: str, runs_dir: str | Path | None = None, tell: Tell = say_nothing
) -> list[dict[str, Any]]:
    """All there is to know of experiments, as `pcm show --json` has it; of all for no words."""
    with told_damage(tell):
        found = experiments(*words, runs_dir=runs_dir)
        pairs = zip(found, lines_of(found, tell), strict=True)
        return [experiment_record(each, line.status) for each, line in pairs]


def report(
    *words: str,
    output: str | Path,
    metric: str | None = None,
    mode: str = "min",
    runs_dir: str | Path | None = None,
    tell: Tell = say_nothing,
) -> Path:
    """Write a sweep as one page, as it stands now; of all experiments for no words.

    Args:
        output: the page's file.
        metric: the one to begin with, else the experiments' monitor.
        mode: `max` where its greatest value is the best.

    Returns:
        The page's file.

    Raises:
        UsageError: no experiment has the metric.
    """
    wanted = None if metric is None else (metric, mode == "max")
    with told_damage(tell):
        gathering = Gathering(", ".join(words) or "all sweeps", Looking(tell), wanted)
        text = page(gathering.gather(experiments(*words, runs_dir=runs_dir)))
    write_text(Path(output), text)
    return Path(output)


def sync(
    *words: str, to: str | Iterable[str] = (), runs_dir: str | Path | None = None
) -> list[Sent]:
    """Send trackers what they have missed, a launch after the other; those that have started.

    Args:
        to: trackers to send to, whatever the grid file says.

    Raises:
        RefusedError: others could have changed what would run.
        UsageError: no tracker is called so.
    """
    names = [to] if isinstance(to, str) else list(to)
    require_trackers(names)
    started = [
        each for each in experiments(*words, runs_dir=runs_dir) if each.run_dir.path.exists()
    ]
    return list(send_each(started, names))
