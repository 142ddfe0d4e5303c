"""Look-up of what a config names, with an answer for a misspelt name."""

from collections.abc import Mapping
from typing import TypeVar

from pcm.config.names import did_you_mean
from pcm.errors import ConfigError, Fault

T = TypeVar("T")


def choose(table: Mapping[str, T], name: str, what: str) -> T:
    """The entry `name` of `table`.

    Args:
        what: what the table holds, in singular, e.g. "optimizer".

    Raises:
        ConfigError: there is no such entry; names the nearest one.
    """
    if name in table:
        return table[name]
    fault = Fault(
        problem=f"unknown {what}",
        found=name,
        expected=", ".join(table),
        hint=did_you_mean(name, table),
    )
    raise ConfigError([fault])
