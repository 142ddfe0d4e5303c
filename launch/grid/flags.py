"""`PATH=VALUE` as typed after `--set`, and the same from Python."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pcm.config.document import parse_document
from pcm.errors import ConfigError, UsageError

_PLAIN = (str, bool, int, float)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Path and value; the value is read as YAML would read it.

    Raises:
        UsageError: there is no path, or the value is no YAML.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise UsageError(
            f"not an assignment: {text}", hint="write PATH=VALUE, e.g. model.training.max_epochs=3"
        )
    if not value.strip():
        return path.strip(), None
    try:
        return path.strip(), parse_document(value, "--set").data
    except ConfigError as error:
        raise UsageError(f"--set {text}: {error.faults[0].problem}") from error


def plain_assignments(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Values by path as a file would have them, of what Python programs have at hand.

    A path is its text, a tuple a list, a number of NumPy's or torch's one of Python's.

    Raises:
        UsageError: one can't stand in a file.
    """
    return {str(path): _plain(str(path), value) for path, value in values.items()}


def _plain(path: str, value: Any) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(path, each) for each in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str(key): _plain(f"{path}.{key}", each) for key, each in value.items()}
    number = _number(value)
    if number is None:
        problem = f"{path}: a value that no file could have: {value!r:.60}"
        raise UsageError(problem, "text, numbers, true, null, and lists and mappings of these")
    return number


def _number(value: Any) -> Any:
    """The number of a scalar of NumPy's or torch's; None for anything else."""
    try:
        number = value.item()
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
    return number if type(number) in _PLAIN else None
