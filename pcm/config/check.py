"""Whole files and whole experiments, checked all the way down."""

from collections.abc import Mapping
from typing import Any

from pcm.config.document import Document
from pcm.config.keys import Keys
from pcm.config.structure import ConfigStructure, find_faults
from pcm.config.structures.experiment import DATA_FILE, EXPERIMENT, MODEL_FILE
from pcm.config.structures.trainer import TRAINER
from pcm.errors import Fault

__all__ = [
    "EXPERIMENT",
    "SECTIONS",
    "check_data",
    "check_experiment",
    "check_model",
    "check_trainer",
    "section_faults",
]

SECTIONS: Mapping[str, ConfigStructure] = {
    "model": MODEL_FILE,
    "data_train": DATA_FILE,
    "data_val": DATA_FILE,
    "trainer": TRAINER,
}
"""Sections of an experiment's config that are files, and their structures."""

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
    structure = SECTIONS[section]
    return find_faults(document.data, structure, file=document.name, lines=document.lines)
