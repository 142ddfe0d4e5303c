"""Callbacks of a trainer file: ours and Lightning's by name, any other by its class path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.inspection import Findings
from pcm.config.names import did_you_mean
from pcm.config.shapes import Choice, MapOf, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Inspector, Namespace
from pcm.config.structures.lightning_callbacks import (
    LIGHTNING_CALLBACKS,
    NAME_OF_CLASS,
)
from pcm.config.structures.own import OWN_CLASS, names_own_class
from pcm.config.structures.plots import PLOT_TOP_NODE
from pcm.config.wording import shown

NEPTUNE_PLOT: ConfigStructure = {
    "neptune_plot_log_path": str,
    "command": {"name": str, "dynamic_kwargs": (None, MapOf(dict))},
    "plt_tree_top_node": PLOT_TOP_NODE,
}
CALLBACKS: dict[str, ConfigStructure] = {"neptune_plot": NEPTUNE_PLOT}
"""Structure of `cfg` by name, of the callbacks that have one; of others it may stand empty."""

CALLBACK_KWARGS: dict[str, ConfigStructure] = {
    "lr_monitor": Record(
        optional={
            "logging_interval": (None, OneOf(("epoch", "step"), "logging interval")),
            "log_momentum": bool,
            "log_weight_decay": bool,
        }
    ),
    "neptune_plot": Namespace,
    **{name: callback.kwargs for name, callback in LIGHTNING_CALLBACKS.items()},
}
"""Structure of `kwargs` by name."""

_WATCHING = {"lr_monitor", "neptune_plot"} | {
    name for name, callback in LIGHTNING_CALLBACKS.items() if callback.only_watches
}

_LIGHTNING_MODULES = "lightning.pytorch.callbacks."


def changes_result(callback: Any) -> bool:
    """Whether training with this callback may end with other weights than without it."""
    return known_name(callback) not in _WATCHING


def known_name(callback: Any) -> str | None:
    """The name of a callback that is known, also where its class path is given; else None."""
    if not isinstance(callback, dict):
        return None
    if names_own_class(callback):
        return NAME_OF_CLASS.get(_lightning_class(callback["class_path"]))
    name = callback.get("name")
    return name if isinstance(name, str) and name in CALLBACK_KWARGS else None


def _lightning_class(path: Any) -> str:
    """The name of a class of Lightning's; empty for any other."""
    is_lightnings = isinstance(path, str) and path.startswith(_LIGHTNING_MODULES)
    return path.rpartition(".")[2] if is_lightnings else ""


def _check_kwargs(callback: Mapping[str, Any]) -> Iterable[Finding]:
    structure = CALLBACK_KWARGS[callback["name"]]
    inside = Inspector().inspect(callback.get("kwargs") or {}, structure)
    return [finding.under("kwargs") for finding in inside]


def _check_named(callback: Mapping[str, Any]) -> Iterable[Finding]:
    cfg = callback.get("cfg")
    if cfg:
        yield Finding(("cfg",), "not for a callback of Lightning's", shown(cfg), "kwargs")
    yield from _check_kwargs(callback)


def _check_class(callback: Mapping[str, Any]) -> Iterable[Finding]:
    own = _lightning_class(callback["class_path"])
    if own in NAME_OF_CLASS:
        structure = CALLBACK_KWARGS[NAME_OF_CLASS[own]]
        for finding in Inspector().inspect(callback.get("init_args") or {}, structure):
            yield finding.under("init_args")


@dataclass(frozen=True, eq=False)
class _Named(Record):
    """A mapping with a name; who writes the name alone is told how."""

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, str):
            return [_name_alone(value)]
        return super()._inspect(value, inspector)


def _name_alone(text: str) -> Finding:
    name = NAME_OF_CLASS.get(text, text)
    if "." in text:
        hint: str | None = f"{{class_path: {text}}}"
    elif name in CALLBACK_KWARGS:
        hint = f"{{name: {name}}}, and its arguments below kwargs: beside it"
    else:
        hint = did_you_mean(name, CALLBACK_KWARGS)
    return Finding((), "a name alone is no callback", shown(text), "{name: NAME}", hint)


CONFIGURED_CALLBACK: ConfigStructure = Rule(
    Record({"name": OneOf(CALLBACKS, "callback"), "cfg": NEPTUNE_PLOT}, {"kwargs": dict}),
    _check_kwargs,
)

NAMED_CALLBACK: ConfigStructure = Rule(
    _Named(
        {"name": OneOf(tuple(CALLBACK_KWARGS), "callback")},
        {"cfg": dict, "kwargs": dict},
    ),
    _check_named,
)

OWN_CALLBACK: ConfigStructure = Rule(OWN_CLASS, _check_class)


def _has_cfg(callback: Any) -> bool:
    name = callback.get("name") if isinstance(callback, dict) else None
    return isinstance(name, str) and name in CALLBACKS


CALLBACK: ConfigStructure = Choice(
    names_own_class, OWN_CALLBACK, Choice(_has_cfg, CONFIGURED_CALLBACK, NAMED_CALLBACK)
)
