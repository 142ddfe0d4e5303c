"""Whole files and whole experiments, checked all the way down."""

from collections.abc import Mapping
from typing import Any

from pcm.config.document import Document
from pcm.config.keys import Keys
from pcm.config.structure import ConfigStructure, find_faults
from pcm.config.structures.experiment import DATA_FILE, EXPERIMENT, MODEL_FILE
from pcm.config.structures.grid import GRID
from pcm.config.structures.site import SITE
from pcm.config.structures.trainer import TRAINER
from pcm.errors import Fault

__all__ = [
    "EXPERIMENT",
    "FILE_KINDS",
    "check_data",
    "check_experiment",
    "check_model",
    "check_trainer",
    "file_faults",
    "kind_of",
    "section_faults",
]

FILE_KINDS: Mapping[str, ConfigStructure] = {
    "model": MODEL_FILE,
    "data": DATA_FILE,
    "trainer": TRAINER,
    "grid": GRID,
    "site": SITE,
}
"""Structure of a file by its kind."""

_TELLING_KEYS: Mapping[str, frozenset[str]] = {
    "model": frozenset({"class_path", "chain", "optimizers", "training", "commands"}),
    "data": frozenset({"train", "label_condition", "cond_trans_mgr"}),
    "trainer": frozenset({"callbacks", "devices", "accelerator", "num_nodes", "kwargs"}),
    "grid": frozenset({"base", "set", "grid", "zip", "random", "exclude", "include", "tags"}),
    "site": frozenset(
        {"defaults", "gpu_flag", "modules", "setup", "mount", "image_folder", "sbatch"}
    ),
}

Lines = Mapping[Keys, int]


def check_model(model: Any, *, file: str | None = None, lines: Lines | None = None) -> list[Fault]:
    """Everything wrong with a model: its parts, their kwargs, and how they fit together."""
    return find_faults(model, MODEL_FILE, file=file, lines=lines)


def check_data(data: Any, *, file: str | None = None, lines: Lines | None = None) -> list[Fault]:
    """Everything wrong with the content of a data file."""
    return find_faults(data, DATA_FILE, file=file, lines=lines)


def check_trainer(
    trainer: Any, *, file: str | None = None, lines: Lines | None = None
) -> list[Fault]:
    """Everything wrong with the content of a trainer file."""
    return find_faults(trainer, TRAINER, file=file, lines=lines)


def check_experiment(config: Any) -> list[Fault]:
    """Everything wrong with an experiment's config, also between its sections.

    For many configs that share most of their parts, keep one
    `pcm.config.structure.Inspector` and let it `inspect(config, EXPERIMENT)`: it looks
    only at what differs.
    """
    return find_faults(config, EXPERIMENT)


def section_faults(section: str, document: Document) -> list[Fault]:
    """Everything wrong with a file that stands for `section` of an experiment's config."""
    return file_faults(section.partition("_")[0], document)


def file_faults(kind: str, document: Document) -> list[Fault]:
    """Everything wrong with a file of one of `FILE_KINDS`, seen by itself."""
    structure = FILE_KINDS[kind]
    return find_faults(document.data, structure, file=document.name, lines=document.lines)


def kind_of(data: Any) -> str | None:
    """Which of `FILE_KINDS` a file's content looks like; None for none of them.

    A class of the user's own, which a model or a data file may name, counts as a model.
    """
    keys = set(data) if isinstance(data, dict) else set()
    matches = {kind: len(keys & telling) for kind, telling in _TELLING_KEYS.items()}
    kind = max(matches, key=lambda kind: matches[kind])
    return kind if matches[kind] else None
