"""What an experiment is: the hash of everything in its config that changes its result."""

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any

from pcm.config.by_object import ByObject
from pcm.config.structures.callbacks import changes_result
from pcm.config.structures.run_command import RUN

_VERSION = "pcm-1"
"""Names the rules of this module; another version gives every experiment another id."""

RESULT_KEYS = (
    "model",
    "data_train",
    "data_val",
    "trainer",
    "seed",
    "subsample_size",
    "world_size",
    RUN,
)
"""Entries of an experiment's config that can change its result."""

PRESENTATIONAL = frozenset({"after_fit", "callbacks", "checkpoints", "num_nodes", "devices"})
"""Trainer entries that change no weight; how many ranks there are is in `world_size`.

Callbacks that do change some count all the same: see `changes_result`."""

PRESENTATIONAL_KWARGS = frozenset(
    {
        "default_root_dir",
        "enable_model_summary",
        "enable_progress_bar",
        "log_every_n_steps",
        "profiler",
    }
)
"""Lightning's Trainer kwargs that change no weight."""

SCRIPT_KEYS = ("command", "params")
"""Entries of a script that change its result; how it is asked to stop is none."""


class Identifier:
    """Hashes configs, each of their mappings and lists once.

    A container is known by its object identity from then on, so a config that shares most
    of its parts with an earlier one costs little. Nothing that was hashed may be changed
    in place while the identifier is in use.
    """

    def __init__(self) -> None:
        self._known: ByObject[str] = ByObject()
        self._trainers: ByObject[Any] = ByObject()

    def identity(self, config: Mapping[str, Any], **more: Any) -> str:
        """The identity of an experiment, 64 hexadecimal digits.

        Numbers count by their value (1 is 1.0, and not true), keys in any order.

        Args:
            config: an experiment's config.
            more: what else changes the result, e.g. `starts_from` or the grid's
                `version`; None counts as not given.
        """
        return identity_of_text(self._mapping(self.counting(config, **more)))

    def counting(self, config: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """What of a config counts, as in `identity`."""
        parts = {key: config[key] for key in RESULT_KEYS if config.get(key) is not None}
        if "trainer" in parts:
            parts["trainer"] = self._numerics(parts["trainer"])
        if RUN in parts:
            parts[RUN] = {key: parts[RUN][key] for key in SCRIPT_KEYS if parts[RUN].get(key)}
        return parts | {key: value for key, value in more.items() if value is not None}

    def _numerics(self, trainer: Any) -> Any:
        known = self._trainers.get(id(trainer))
        if known is not None:
            return known[0]
        return self._trainers.keep(id(trainer), _without_presentation(trainer), trainer)

    def canonical(self, value: Any) -> str:
        """The text that a value is hashed as: a scalar itself, of others a hash."""
        if isinstance(value, (dict, list)):
            known = self._known.get(id(value))
            return self._hashed(value) if known is None else known[0]
        if isinstance(value, str):
            return encode_basestring_ascii(value)
        if type(value) is int:
            return str(value)
        if isinstance(value, float) and math.isfinite(value):
            whole = value.is_integer() and abs(value) < 1 << 53
            return str(int(value)) if whole else repr(value)
        return json.dumps(value)

    def _hashed(self, value: Any) -> str:
        text = self._mapping(value) if isinstance(value, dict) else self._list(value)
        return self._known.keep(id(value), hash_of_text(text), value)

    def _mapping(self, value: Mapping[str, Any]) -> str:
        entries = [f"{label(key)}{self.canonical(value[key])}" for key in sorted(value)]
        return "{" + ",".join(entries) + "}"

    def _list(self, value: list[Any]) -> str:
        return "[" + ",".join(map(self.canonical, value)) + "]"


def identity(config: Mapping[str, Any], **more: Any) -> str:
    """The identity of one experiment; see `Identifier.identity`."""
    return Identifier().identity(config, **more)


def _without_presentation(trainer: Any) -> Any:
    if not isinstance(trainer, dict):
        return trainer
    kept = {key: value for key, value in trainer.items() if key not in PRESENTATIONAL}
    callbacks = trainer.get("callbacks")
    if isinstance(callbacks, list) and (changing := [*filter(changes_result, callbacks)]):
        kept["callbacks"] = changing
    if isinstance(kept.get("kwargs"), dict):
        kwargs = kept["kwargs"].items()
        kept["kwargs"] = {key: value for key, value in kwargs if key not in PRESENTATIONAL_KWARGS}
    return kept


def label(key: str) -> str:
    """How an entry's text begins."""
    return f"{encode_basestring_ascii(key)}:"


def hash_of_text(text: str) -> str:
    """What stands for a mapping or list of this text in that of another."""
    # No scalar begins with '#', so a hash never reads as a value.
    return "#" + sha256(text.encode()).hexdigest()


def identity_of_text(text: str) -> str:
    """The identity of a config of which what counts has this text."""
    return sha256(f"{_VERSION}{text}".encode()).hexdigest()
