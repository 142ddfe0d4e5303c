"""Objects of the classes that a config names, in Lightning's convention."""

import collections.abc
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from pcm.config.structures.own import names_own_class
from pcm.config.typed_values import SCALARS, converted
from pcm.training.faults import config_error

Config = dict[str, Any]

_LISTS = (list, tuple, collections.abc.Sequence, collections.abc.MutableSequence)

_MOST_EXACT = 2**53
"""Up to here each whole number is a float."""

_MADE_LATER = (Optimizer, LRScheduler)
"""Classes that take parameters or an optimizer first: only the module can make one."""


def build_object(cfg: Config, base: type[Any], key: str) -> Any:
    """An object of the class that `cfg` names, or what a function returns that says so.

    A mapping with a `class_path` among its arguments, however deep, becomes an object too: or
    a factory of one, where the class wants one.

    Args:
        base: what it must be one of.
        key: where `cfg` stands in the experiment's config.

    Raises:
        ConfigError: there is no such module or class, it is of another kind, or it takes no
            such arguments.
    """
    own = _find_below(base, cfg, key)
    arguments = _build_arguments(own, cfg, key)
    check_arguments(own, arguments, f"{key}.init_args")
    return own(**arguments)


def build_factory(cfg: Config, base: type[Any], key: str) -> Callable[[Any], Any]:
    """What makes an object of the class that `cfg` names, from its first argument.

    Raises:
        ConfigError: as for an object; or what is made of it refuses its arguments' values.
    """
    own = _find_below(base, cfg, key)
    arguments = _build_arguments(own, cfg, key)
    place = f"{key}.init_args"

    def make(first: Any) -> Any:
        try:
            return own(first, **arguments)
        except (TypeError, ValueError) as error:
            raise config_error(place, f"{own.__name__}: {error}") from error

    check_arguments(own, arguments, place, partial=True)
    return make


def _find_below(base: type[Any], cfg: Config, key: str) -> Any:
    own = _find(cfg["class_path"], f"{key}.class_path")
    # Some libraries' own way to a model is a function, like a `from_dataset`.
    made = own if isinstance(own, type) else _annotations(own).get("return")
    if not _is_class_below(made, base):
        hint = _other_lightning(made) or _annotation_needed(own, base)
        raise config_error(f"{key}.class_path", f"not a {base.__name__}", hint, cfg["class_path"])
    return own


def _other_lightning(own: Any) -> str | None:
    """What to do about a class of `pytorch_lightning`, which is another package's, if it is one."""
    parents = own.__mro__ if isinstance(own, type) else ()
    if any(each.__module__.partition(".")[0] == "pytorch_lightning" for each in parents):
        return "import lightning.pytorch, in place of pytorch_lightning, in its module"
    return None


def _annotation_needed(own: Any, base: type[Any]) -> str | None:
    """What to do about a function that doesn't say what it returns."""
    if not inspect.isfunction(own) or "return" in own.__annotations__:
        return None
    return f"a function says so: `def {own.__name__}(...) -> {base.__name__}`"


def check_arguments(
    own: Callable[..., Any], arguments: Config, key: str, *, partial: bool = False
) -> None:
    """Look at whether a class or function takes these arguments, and needs no others.

    Args:
        partial: whether others are given later.

    Raises:
        ConfigError: it does not.
    """
    try:
        signature = inspect.signature(own)
    except ValueError:
        # Built in, and without one.
        return
    try:
        (signature.bind_partial if partial else signature.bind)(**arguments)
    except TypeError as error:
        raise config_error(key, f"{getattr(own, '__name__', own)}: {error}") from error


def _find(class_path: str, key: str) -> Any:
    """What is at a path of modules and a name; raises ConfigError if there is nothing."""
    module_name, _, name = class_path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "install its package where training runs, or set PYTHONPATH"
        raise config_error(key, f"{error}", hint, class_path) from error
    own = getattr(module, name, None)
    if own is None:
        hint = f"a class in {module.__file__}"
        raise config_error(key, "there is no such class", hint, class_path)
    return own


def _build_arguments(own: Callable[..., Any], cfg: Config, key: str) -> Config:
    expected = _annotations(own)
    built = {
        name: _build_argument(value, expected.get(name), f"{key}.init_args.{name}")
        for name, value in (cfg.get("init_args") or {}).items()
    }
    if not any(_is_class_below(own, base) for base in _MADE_LATER):
        return built
    return {name: _as_torch_takes(value, expected.get(name)) for name, value in built.items()}


def _build_argument(value: Any, annotation: Any, key: str) -> Any:
    """An argument with every object in it; what is annotated as a mapping stays one."""
    wanted = _alternatives(annotation)
    if names_own_class(value):
        stays = any(_is_class_below(get_origin(each) or each, Mapping) for each in wanted)
        return value if stays else _build_nested(value, wanted, key)
    if isinstance(value, list):
        items = _annotation_of_items(wanted)
        return [_build_argument(each, items, f"{key}.{index}") for index, each in enumerate(value)]
    if isinstance(value, dict):
        return {name: _build_argument(each, None, f"{key}.{name}") for name, each in value.items()}
    return converted(value, _kinds(value, wanted))


def _kinds(value: Any, wanted: tuple[Any, ...]) -> tuple[type, ...]:
    """The scalars that a value may become; none where something else may be wanted."""
    rest = [each for each in wanted if each not in (*SCALARS, NoneType, Tensor)]
    words = [word for each in rest if get_origin(each) is Literal for word in get_args(each)]
    is_known = all(get_origin(each) in (Literal, *_LISTS) for each in rest)
    return tuple(kind for kind in SCALARS if kind in wanted and is_known and value not in words)


def _annotation_of_items(wanted: tuple[Any, ...]) -> Any:
    """The one type that all items of a list have; None where that isn't known."""
    lists = [get_args(each) for each in wanted if get_origin(each) in _LISTS]
    kinds = {each for arguments in lists for each in arguments if each is not Ellipsis}
    return kinds.pop() if len(kinds) == 1 else None


def _as_torch_takes(value: Any, annotation: Any) -> Any:
    """A value with its whole numbers as floats: torch takes 0 for none of two betas."""
    wanted = _alternatives(annotation)
    if isinstance(value, list):
        return [_as_torch_takes(each, _annotation_of_items(wanted)) for each in value]
    is_meant = type(value) is int and float in wanted and int not in wanted
    return float(value) if is_meant and abs(value) < _MOST_EXACT else value


def _build_nested(cfg: Config, wanted: tuple[Any, ...], key: str) -> Any:
    own = _find(cfg["class_path"], f"{key}.class_path")
    if not callable(own):
        raise config_error(f"{key}.class_path", "neither a class nor a function")
    arguments = _build_arguments(own, cfg, key)
    is_partial = cfg.get("partial", _is_made_later(own, wanted))
    check_arguments(own, arguments, f"{key}.init_args", partial=is_partial)
    return functools.partial(own, **arguments) if is_partial else own(**arguments)


def _is_made_later(own: Any, wanted: tuple[Any, ...]) -> bool:
    """Whether a factory is wanted: `Callable[..., Base]`, or of what only a module can make."""
    if any(_is_class_below(own, base) for base in _MADE_LATER):
        return True
    factories = (each for each in wanted if get_origin(each) is collections.abc.Callable)
    return any(_is_class_below(own, get_args(each)[-1]) for each in factories)


def _is_class_below(own: Any, base: Any) -> bool:
    return isinstance(own, type) and isinstance(base, type) and issubclass(own, base)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, else the annotation itself."""
    is_union = get_origin(annotation) in (Union, UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _annotations(own: Callable[..., Any]) -> Mapping[str, Any]:
    """The types of a function's or a constructor's parameters, as far as they can be told."""
    function = own.__init__ if isinstance(own, type) else own  # type: ignore[misc]
    try:
        return get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return {}
