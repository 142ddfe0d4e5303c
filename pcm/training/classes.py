"""An object of a class that a config names, in Lightning's convention."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from pcm.training.faults import config_error

Config = dict[str, Any]


def build_object(cfg: Config, base: type[Any], key: str) -> Any:
    """An object of the class that `cfg` names.

    Args:
        base: what it must be one of.
        key: where `cfg` stands in the experiment's config.

    Raises:
        ConfigError: there is no such module or class, it is of another kind, or it takes no
            such arguments.
    """
    own = find_class(cfg["class_path"], f"{key}.class_path")
    if not (isinstance(own, type) and issubclass(own, base)):
        raise config_error(f"{key}.class_path", f"not a {base.__name__}", found=cfg["class_path"])
    arguments = cfg.get("init_args") or {}
    check_arguments(own, arguments, f"{key}.init_args")
    return own(**arguments)


def find_class(class_path: str, key: str) -> Any:
    """What is at a path of modules and a name.

    Raises:
        ConfigError: there is nothing.
    """
    module_name, _, class_name = class_path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "install its package where training runs, or set PYTHONPATH"
        raise config_error(key, f"{error}", hint, class_path) from error
    own = getattr(module, class_name, None)
    if own is None:
        hint = f"a class in {module.__file__}"
        raise config_error(key, "there is no such class", hint, class_path)
    return own


def check_arguments(own: Callable[..., Any], arguments: Config, key: str) -> None:
    """Raises ConfigError if the class takes no such arguments."""
    try:
        inspect.signature(own).bind(**arguments)
    except TypeError as error:
        raise config_error(key, f"{getattr(own, '__name__', own)}: {error}") from error
