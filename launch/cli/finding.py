"""What the words on the command line stand for: sweeps and experiments of the store."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pcm.errors import NotFoundError

if TYPE_CHECKING:
    from launch.report.status import Line
    from launch.store import Experiment, Store


def open_store(runs_dir: Path | None) -> "Store":
    """The store at the runs folder of the command line."""
    from launch.store import Store, runs_root

    return Store(runs_root(runs_dir))


def find_experiments(store: "Store", words: Sequence[str]) -> "list[Experiment]":
    """The experiments that the words name, each once; all of them for no words.

    A word is a sweep's name, an experiment's id or name, or a unique beginning.

    Raises:
        NotFoundError: a word stands for nothing.
        UsageError: a word stands for several things.
    """
    if not words:
        return store.experiments()
    found = (experiment for word in words for experiment in _named(store, word))
    return list({experiment.id: experiment for experiment in found}.values())


def _named(store: "Store", word: str) -> "Iterable[Experiment]":
    if any(sweep.name == word for sweep in store.sweeps()):
        return store.experiments(word)
    with suppress(NotFoundError):
        return [store.find(word)]
    try:
        return store.experiments(store.find_sweep(word).name)
    except NotFoundError as error:
        raise NotFoundError(f"no sweep or experiment '{word}'", error.hint) from None


def lines_of(experiments: "Sequence[Experiment]") -> "list[Line]":
    """The experiments and where they stand now."""
    from launch.facts import read_statuses
    from launch.report.status import Line

    statuses = read_statuses(experiments)
    return [Line(each.id, each.name, statuses[each.id]) for each in experiments]
