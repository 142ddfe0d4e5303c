"""A script of the user's own in place of a model, its data and a trainer: `run:` of a grid."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.command_words import OWN_NAMES, has_name, names_of, placeholders
from pcm.config.names import did_you_mean
from pcm.config.shapes import MapOf, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Namespace
from pcm.config.wording import shown

RUN = "run"
"""The section of a grid file, and of an experiment's config, that holds it."""

STOP_SIGNALS = ("TERM", "INT", "HUP", "USR1", "USR2")
"""What a script may be sent when it is to stop; the first unless its grid names another."""

SCRIPT: ConfigStructure = Record(
    {"command": [int | float | str]},
    {
        "params": (None, MapOf(Namespace)),
        "stop_signal": (None, OneOf(STOP_SIGNALS, "signal")),
    },
)
"""As a grid file has it, whose axes may add params."""


def names_script(data: Any) -> bool:
    """Whether a grid file, or an experiment's config, is of a script."""
    return isinstance(data, dict) and RUN in data


def _check(run: dict[str, Any]) -> Iterator[Finding]:
    if not run["command"]:
        expected = 'its words: [python, train.py, "--lr", "{lr}"]'
        yield Finding(("command",), "an empty command", "[]", expected)
    params = run.get("params") or {}
    for index, word in enumerate(run["command"]):
        yield from (found.under("command", index) for found in _check_word(str(word), params))


def _check_word(word: str, params: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        names = placeholders(word)
    except ValueError as error:
        hint = "a brace of the word's own is written twice: {{ or }}"
        yield Finding((), f"not a word of a command: {error}", shown(word), hint=hint)
        return
    for name in names:
        if name not in OWN_NAMES and not has_name(params, name):
            known = [*names_of(params), *(name for name in OWN_NAMES if name not in params)]
            expected = f"one of {', '.join(known)}"
            hint = did_you_mean(name, known) or "a brace of the word's own is written twice: {{"
            yield Finding((), f"no param is called '{name}'", shown(word), expected, hint)


SCRIPT_OF_POINT: ConfigStructure = Rule(SCRIPT, _check)
"""As a point has it: every placeholder of the command has its value."""
