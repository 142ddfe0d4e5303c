"""Whole files and whole experiments, checked all the way down."""

from collections.abc import Mapping
from typing import Any

from pcm.config.document import Document
from pcm.config.shapes import Choice
from pcm.config.structure import ConfigStructure, find_faults
from pcm.config.structures.experiment import DATA_FILE, EXPERIMENT, MODEL_FILE
from pcm.config.structures.own import HYDRA_CLASS, names_hydra_class
from pcm.config.structures.trainer import TRAINER
from pcm.errors import Fault

__all__ = ["EXPERIMENT", "SECTIONS", "check_experiment", "section_faults"]

SECTIONS: Mapping[str, ConfigStructure] = {
    "model": MODEL_FILE,
    "data_train": DATA_FILE,
    "data_val": DATA_FILE,
    "trainer": Choice(names_hydra_class, HYDRA_CLASS, TRAINER),
}
"""Sections of an experiment's config that are files, and their structures."""


def section_faults(section: str, document: Document) -> list[Fault]:
    """Everything wrong with a file that stands for `section` of an experiment's config."""
    structure = SECTIONS[section]
    return find_faults(document.data, structure, file=document.name, lines=document.lines)


def check_experiment(config: Any) -> list[Fault]:
    """Everything wrong with an experiment's config, also between its sections.

    For many configs that share most of their parts, keep one
    `pcm.config.structure.Inspector` and let it `inspect(config, EXPERIMENT)`: it looks
    only at what differs.
    """
    return find_faults(config, EXPERIMENT)
