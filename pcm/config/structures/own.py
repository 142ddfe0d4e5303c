"""A class of the user's own in place of a model or data file, as Lightning writes it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pcm.config.shapes import Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Inspector
from pcm.config.wording import shown

_CLASS_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")

_INTERPOLATION = re.compile(r"\$\{.+\}")
"""Of OmegaConf, as in Hydra's files."""

_NESTED = Record({"class_path": str}, {"init_args": (None, dict), "partial": bool})
"""An argument that is an object; `partial`: a factory of one, which takes further arguments."""


def _check_own_class(cfg: dict[str, Any]) -> Iterator[Finding]:
    path = cfg["class_path"]
    if not _CLASS_PATH.fullmatch(path):
        yield Finding(("class_path",), "not a class path", shown(path), "package.module.Class")
    for finding in _check_arguments(cfg.get("init_args") or {}):
        yield finding.under("init_args")


def _check_arguments(value: Any) -> Iterator[Finding]:
    """What is wrong with the objects in an argument, however deep."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        for finding in _check_argument(each):
            yield finding.under(key)


def _check_argument(value: Any) -> Iterable[Finding]:
    if isinstance(value, str) and _INTERPOLATION.fullmatch(value):
        return [Finding((), "an interpolation, which nobody resolves", value, "the value itself")]
    if names_own_class(value):
        return [*Inspector().inspect(value, _NESTED)] or _check_own_class(value)
    return _check_arguments(value) if isinstance(value, dict | list) else ()


OWN_CLASS: ConfigStructure = Rule(
    Record({"class_path": str}, {"init_args": dict}), _check_own_class
)


def _refuse_hydra(cfg: dict[str, Any]) -> list[Finding]:
    expected = "class_path: package.module.Class, and its arguments below init_args:"
    hint = "docs/your-own.md shows it; `pcm import` reads Hydra's sweeps"
    return [Finding(("_target_",), "this is Hydra's word", shown(cfg["_target_"]), expected, hint)]


HYDRA_CLASS: ConfigStructure = Rule(dict, _refuse_hydra)


def names_hydra_class(cfg: Any) -> bool:
    """Whether a file is one of Hydra's."""
    return isinstance(cfg, dict) and "_target_" in cfg and "class_path" not in cfg


def names_own_class(cfg: Any) -> bool:
    """Whether a model or data file, or an argument, names a class of the user's own."""
    return isinstance(cfg, dict) and "class_path" in cfg
