"""Changing one value of a config without touching the rest.

A changed config shares every mapping and list that the change does not lead through with
the one it came from, so a hundred thousand variants cost little more than their
differences. Configs are never changed in place.
"""

from collections.abc import Sequence
from typing import Any

from pcm.config.by_object import ByObject
from pcm.config.keys import Keys, dotted, index_in, item_name, item_names
from pcm.config.names import did_you_mean
from pcm.config.wording import shown
from pcm.errors import ConfigError, Fault

_ARGUMENTS = ("init_args", "kwargs")

_NONE_SO_FAR: dict[str, Any] = {}


def parse_path(text: str) -> tuple[str, ...]:
    """The parts of a dotted path, e.g. `model.chain.encoder.cfg.hidden_dims`.

    Raises:
        ConfigError: a part is empty.
    """
    parts = tuple(text.split("."))
    if all(part and part == part.strip() for part in parts):
        return parts
    expected = "keys joined by single dots, e.g. model.training.max_epochs"
    raise ConfigError([Fault("not a key path", key=text, found=shown(text), expected=expected)])


def resolve(config: Any, path: str) -> Keys:
    """The keys that `path` leads through in `config`.

    A part names a mapping's key, or a list's item by its own name or by its index from 0.
    The last part may be a key that the mapping does not have yet, as may the arguments of a class
    or of a callback be that the part before it names.

    Raises:
        ConfigError: the path leads nowhere; says which names there are.
    """
    keys: Keys = ()
    value = config
    parts = parse_path(path)
    for position, part in enumerate(parts):
        if isinstance(value, dict) and part not in value and position == len(parts) - 1:
            return (*keys, part)
        if position == len(parts) - 2 and _takes_first_argument(value, part, keys):
            return (*keys, *parts[position:])
        key = _step(value, part)
        if key is None:
            raise ConfigError([_lost(config, keys, value, part, path)])
        keys = (*keys, key)
        value = value[key]
    return keys


def with_value(config: Any, keys: Keys, value: Any) -> Any:
    """A config that has `value` at `keys` and shares all the rest with `config`."""
    if not keys:
        return value
    key, *rest = keys
    changed = config.copy()
    changed[key] = with_value(_inside(config, key), tuple(rest), value) if rest else value
    return changed


class Variants:
    """Makes variants that share also what they change alike.

    Two variants with the same value object at the same keys of the same config get the
    same mappings and lists there, up to where they begin to differ. Whatever knows an
    object by its identity (an Inspector, an Identifier) then sees each of them once.
    """

    def __init__(self) -> None:
        self._made: ByObject[Any] = ByObject(most=1 << 14)

    def with_value(self, config: Any, keys: Keys, value: Any) -> Any:
        """As `with_value`."""
        if not keys:
            return value
        key = keys[0]
        child = value
        if len(keys) > 1:
            child = self.with_value(_inside(config, key), keys[1:], value)
        token = (id(config), key, id(child))
        made = self._made.get(token)
        if made is not None:
            return made[0]
        changed = config.copy()
        changed[key] = child
        return self._made.keep(token, changed, config, child)


def _takes_first_argument(value: Any, part: str, keys: Keys) -> bool:
    """Whether `part` holds the arguments of something that has been given none so far."""
    if not isinstance(value, dict) or value.get(part) is not None:
        return False
    is_callback = keys[:2] == ("trainer", "callbacks") and "name" in value
    return (part == "init_args" and "class_path" in value) or (part == "kwargs" and is_callback)


def _inside(config: Any, key: str | int) -> Any:
    """What stands there; nothing, where there may be arguments and are none."""
    inside = config.get(key) if key in _ARGUMENTS else config[key]
    return _NONE_SO_FAR if inside is None and key in _ARGUMENTS else inside


def _step(value: Any, part: str) -> str | int | None:
    if isinstance(value, dict):
        return part if part in value else None
    if not isinstance(value, list):
        return None
    index = index_in(part)
    if index is not None:
        return index if index < len(value) else None
    found = [index for index, item in enumerate(value) if item_name(item) == part]
    return found[0] if len(found) == 1 else None


def _lost(config: Any, keys: Keys, value: Any, part: str, path: str) -> Fault:
    where = f"'{dotted(config, keys)}'" if keys else "a config"
    if isinstance(value, dict) and value:
        names = [str(key) for key in value]
    elif isinstance(value, list) and value:
        names = item_names(value)
    else:
        return Fault(f"nothing is below {where}", key=path, found=shown(value))
    if isinstance(value, list) and sum(item_name(item) == part for item in value) > 1:
        problem = f"several items of {where} are named '{part}'"
        return Fault(problem, key=path, expected=_indices(value))
    expected = f"one of {', '.join(names)}" if names else _indices(value)
    hint = did_you_mean(part, names)
    return Fault(f"{where} has no '{part}'", key=path, expected=expected, hint=hint)


def _indices(items: Sequence[Any]) -> str:
    return f"an index from 0 to {len(items) - 1}"
