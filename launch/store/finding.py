"""What people's words stand for: sweeps and experiments of the store."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from launch.store.layout import runs_root
from launch.store.store import Experiment, Store
from pcm.errors import NotFoundError


def open_store(runs_dir: str | Path | None) -> Store:
    """The store at a runs folder; see `runs_root` for None."""
    return Store(runs_root(None if runs_dir is None else Path(runs_dir)))


def find_experiments(store: Store, words: Sequence[str]) -> list[Experiment]:
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


def stands_for_one(store: Store, word: str) -> bool:
    """Whether a word that was found is an experiment's, and no sweep's."""
    if any(sweep.name == word for sweep in store.sweeps()):
        return False
    try:
        store.find(word)
    except NotFoundError:
        return False
    return True


def _named(store: Store, word: str) -> Iterable[Experiment]:
    if any(sweep.name == word for sweep in store.sweeps()):
        return store.experiments(word)
    with suppress(NotFoundError):
        return [store.find(word)]
    try:
        return store.experiments(store.find_sweep(word).name)
    except NotFoundError as error:
        hint = error.hint if store.sweeps() else nothing_in(store)
        raise NotFoundError(f"no sweep or experiment '{word}'", hint) from None


def nothing_in(store: Store) -> str:
    """What to try where nothing was launched, as in any folder but that of the launches."""
    return f"nothing was launched into {store.root.path}; --runs-dir names another folder"
