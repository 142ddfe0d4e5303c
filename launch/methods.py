"""Whether classes of a user's own have the methods that an experiment needs of them.

Read from their source, like their constructors: nothing is imported.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from launch.signatures import imported_from, path_of
from launch.sources import BY_ANOTHER_WAY, Missing, Module, find_module
from pcm.config.structure import Finding
from pcm.config.structures.own import names_own_class
from pcm.config.structures.strategies import is_sharded

_FARTHEST = 12
"""Modules and parents that a class is followed through."""

_BARE = ("LightningModule", "LightningDataModule", "Module")
"""Lightning's and torch's own, which have the methods only so that one can override them."""


_MODEL = ("model", "class_path")
_AFTER_FIT = ("trainer", "after_fit")
_STRATEGY = ("trainer", "kwargs", "strategy")


class _Needed(NamedTuple):
    section: str
    method: str
    place: tuple[str, ...]
    instead: str | None = None


def lacking_methods(
    config: Mapping[str, Any], lacks: Callable[[str, str], bool]
) -> Iterator[Finding]:
    """What an experiment's own classes lack for sure.

    Args:
        lacks: whether the class of a path has no such method.
    """
    for section, method, place, instead in _needed(config):
        own: Any = config.get(section)
        if names_own_class(own) and lacks(own["class_path"], method):
            problem = f"{own['class_path']} has no `{method}`"
            expected = ", or ".join(filter(None, [f"a `{method}`", instead]))
            yield Finding(place, problem, expected=expected)


def _needed(config: Mapping[str, Any]) -> Iterator[_Needed]:
    trainer = config.get("trainer") or {}
    yield _Needed("model", "training_step", _MODEL)
    if not (config.get("model") or {}).get("optimizer"):
        yield _Needed("model", "configure_optimizers", _MODEL, "an optimizer beside the class")
    if config.get("data_train") is None:
        yield _Needed("model", "train_dataloader", _MODEL, "a data file as data_train")
    if trainer.get("after_fit") == "test":
        data = "model" if config.get("data_train") is None else "data_train"
        yield _Needed("model", "test_step", _AFTER_FIT, "no after_fit")
        yield _Needed(data, "test_dataloader", _AFTER_FIT, "no after_fit")
    if is_sharded((trainer.get("kwargs") or {}).get("strategy")):
        yield _Needed("model", "configure_model", _STRATEGY, "another strategy")


def lacks_method(
    class_path: str, method: str, folders: Sequence[Path], left: int = _FARTHEST
) -> bool:
    """Whether neither a class nor one that it inherits from defines a method, for sure."""
    module_name, _, name = class_path.rpartition(".")
    if class_path.partition(".")[0] in ("lightning", "torch") and name in _BARE:
        return True
    module = find_module(module_name, folders)
    if left == 0 or isinstance(module, Missing):
        return False
    classes = [each for each in module.tree.body if isinstance(each, ast.ClassDef)]
    found = next((each for each in reversed(classes) if each.name == name), None)
    if found is None:
        source = imported_from(name, module)
        return source is not None and lacks_method(source, method, folders, left - 1)
    if _may_define(found, method, module):
        return False
    parents = [ast.unparse(base) for base in found.bases]
    return all(
        each.replace(".", "").isidentifier()
        and lacks_method(path_of(each, module_name, module), method, folders, left - 1)
        for each in parents
    )


def _may_define(node: ast.ClassDef, method: str, module: Module) -> bool:
    """Whether a class's own lines define a method, or could by a way that isn't followed."""
    if node.decorator_list or node.keywords or f".{method} =" in module.text:
        return True
    if any(way in module.text for way in BY_ANOTHER_WAY):
        return True
    return any(
        (isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == method)
        or (isinstance(each, ast.Name | ast.alias) and _name_of(each) == method)
        for each in ast.walk(node)
    )


def _name_of(node: ast.Name | ast.alias) -> str:
    return node.id if isinstance(node, ast.Name) else node.asname or node.name
