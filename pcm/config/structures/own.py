"""A class of the user's own in place of a model or data file, as Lightning writes it."""

import re
from typing import Any

from pcm.config.shapes import Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.wording import shown

_CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def _check_class_path(cfg: dict[str, Any]) -> list[Finding]:
    path = cfg["class_path"]
    if _CLASS_PATH.fullmatch(path):
        return []
    return [Finding(("class_path",), "not a class path", shown(path), "package.module.Class")]


OWN_CLASS: ConfigStructure = Rule(
    Record({"class_path": str}, {"init_args": dict}), _check_class_path
)


def names_own_class(cfg: Any) -> bool:
    """Whether a model or data file names a class of the user's own."""
    return isinstance(cfg, dict) and "class_path" in cfg
