"""Which kind of config a file is, by what is in it; and what is wrong with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.arguments import Arguments
from launch.classes import class_faults, is_this_python
from launch.grid import expand
from launch.site import load_site
from pcm.config.document import Document, load_document
from pcm.config.shapes import Choice, Meaning, Rule
from pcm.config.structure import ConfigStructure, find_faults
from pcm.config.structures.data import DATA
from pcm.config.structures.experiment import EXPERIMENT
from pcm.config.structures.grid import GRID
from pcm.config.structures.model import MODEL
from pcm.config.structures.own import HYDRA_CLASS, OWN_MODEL, names_hydra_class
from pcm.config.structures.run_command import names_script
from pcm.config.structures.site import SITE
from pcm.config.structures.trainer import TRAINER
from pcm.config.structures.user_settings import SETTINGS
from pcm.errors import ConfigError, Fault


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What was found out about a file.

    Attributes:
        kind: grid, model, ...; None where that can't be told.
        notes: what could not be looked at, and why; what a node may not have.
    """

    file: str
    kind: str | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()


STRUCTURES: Mapping[str, ConfigStructure] = {
    "grid": GRID,
    "model": MODEL,
    "data": DATA,
    "trainer": TRAINER,
    "site": SITE,
    "settings": SETTINGS,
    "experiment": EXPERIMENT,
    "class": Choice(names_hydra_class, HYDRA_CLASS, OWN_MODEL),
}

LOADERS: Mapping[str, Callable[[Path], object]] = {"site": load_site}
"""Of these kinds the structure isn't all: paths and amounts have a meaning."""

NAMING_CLASSES = frozenset({"class", "trainer", "experiment"})
"""Kinds that may name classes of the user's own."""

FOLDERS = {
    "grids": "grid",
    "models": "model",
    "data": "data",
    "trainer": "trainer",
    "sites": "site",
    "pcm": "settings",
}
"""Where each kind is usually kept; decides where the content doesn't."""


def check_file(path: Path) -> CheckedFile:
    """Read a file, find out what it is, and check it all the way down."""
    try:
        document = load_document(path)
    except ConfigError as error:
        return CheckedFile(str(path), None, error.faults)
    kind = kind_of(document.data) or FOLDERS.get(path.absolute().parent.name)
    if kind is None:
        return CheckedFile(str(path), None, (_unrecognised(document),))
    arguments = Arguments()
    unmet: tuple[str, ...] = ()
    if kind == "grid":
        faults, unmet = _look_into_grid(path, arguments)
    else:
        faults = _faults(kind, path, document, arguments)
    unread = [f"what {each} takes was not checked: {why}" for each, why in arguments.unread.items()]
    return CheckedFile(str(path), kind, tuple(faults), (*unread, *unmet))


def kind_of(data: Any) -> str | None:
    """The kind that has most of these keys; None for a tie or for none of them."""
    if not isinstance(data, dict):
        return None
    if names_hydra_class(data):
        return "class"
    shares = {kind: len(data.keys() & _keys(each)) for kind, each in STRUCTURES.items()}
    best = max(shares.values())
    kinds = [kind for kind, share in shares.items() if share == best]
    # What a script is stands in a grid; in an experiment there is more beside it.
    return kinds[0] if best and (len(kinds) == 1 or names_script(data)) else None


def _keys(structure: ConfigStructure) -> Iterable[str]:
    """What may stand at the top of such a file."""
    if structure is dict:
        return ()
    if isinstance(structure, Rule | Meaning):
        return _keys(structure.structure)
    if isinstance(structure, Choice):
        return {*_keys(structure.first), *_keys(structure.second)}
    keys: Iterable[str] = structure.keys()
    return keys


def _faults(kind: str, path: Path, document: Document, arguments: Arguments) -> list[Fault]:
    if kind in LOADERS:
        return _faults_of_loading(LOADERS[kind], path)
    place: dict[str, Any] = {"file": document.name, "lines": document.lines}
    faults = find_faults(document.data, STRUCTURES[kind], **place)
    if faults or kind not in NAMING_CLASSES:
        return faults
    return find_faults(document.data, Rule(dict, arguments.findings), **place)


def _look_into_grid(path: Path, arguments: Arguments) -> tuple[list[Fault], tuple[str, ...]]:
    """What is wrong with it, and what a node may not have."""
    try:
        grid = expand(path)
    except ConfigError as error:
        return list(error.faults), ()
    # Where an image or a site decides, this is not the Python that trains.
    arguments.is_here = not grid.container and is_this_python()
    return class_faults(grid, grid.points, arguments), grid.unmet


def _faults_of_loading(load: Callable[[Path], object], path: Path) -> list[Fault]:
    try:
        load(path)
    except ConfigError as error:
        return list(error.faults)
    return []


def _unrecognised(document: Document) -> Fault:
    found = ", ".join(map(str, document.data)) if isinstance(document.data, dict) else None
    return Fault(
        "not recognised as a config",
        file=document.name,
        line=document.lines.get(()),
        found=found or repr(document.data)[:60],
        expected="the top of a grid, model, data, trainer or site file",
        hint="`pcm structure grid` shows what one looks like; so do model, data, trainer, site",
    )
