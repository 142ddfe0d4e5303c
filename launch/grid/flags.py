"""`PATH=VALUE` as typed after `--set`."""

from typing import Any

from pcm.config.document import parse_document
from pcm.errors import ConfigError, UsageError


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
