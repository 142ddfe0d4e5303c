"""ConfigStructure: what a config must look like, as plain Python data.

- a dict: a mapping with exactly these keys
- `[S]`: a list of which every item fits S
- `(S, T, ...)`: anything that fits one of the alternatives
- a type: a value of it; `int` takes no boolean, `float` takes an integer, both only
  finite numbers
- `int | str`: a value of one of the types
- `None`: nothing, in an alternative: `(None, S)` is optional
- `Namespace`: anything; whoever consumes it looks
- a `Shape` (pcm.config.shapes): what the forms above can't say
"""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from pcm.config.inspection import ConfigStructure, Finding, Findings, Inspector, Shape
from pcm.config.keys import Keys, dotted
from pcm.errors import ConfigError, Fault

__all__ = [
    "ConfigStructure",
    "Finding",
    "Findings",
    "Inspector",
    "Namespace",
    "Shape",
    "find_faults",
    "line_of",
    "validate_config_structure",
]


def validate_config_structure(cfg: Any, config_structure: ConfigStructure) -> None:
    """Check `cfg` all the way down.

    Raises:
        ConfigError: with everything that is wrong, each with key path, found and expected.
    """
    faults = find_faults(cfg, config_structure)
    if faults:
        raise ConfigError(faults)


def find_faults(
    cfg: Any,
    structure: ConfigStructure,
    *,
    file: str | None = None,
    lines: Mapping[Keys, int] | None = None,
    key: Keys = (),
) -> list[Fault]:
    """Everything that is wrong with `cfg`, in the order of the file.

    Args:
        file: the file's name, for the faults.
        lines: the lines of the whole file, from `Document.lines`.
        key: where in that file `cfg` stands.
    """
    prefix = [str(part) for part in key]
    faults = [
        Fault(
            finding.problem,
            file=file,
            line=None if lines is None else line_of(lines, key + finding.keys),
            key=".".join(filter(None, [*prefix, dotted(cfg, finding.keys)])) or None,
            found=finding.found,
            expected=finding.expected,
            hint=finding.hint,
        )
        for finding in Inspector().inspect(cfg, structure)
    ]
    return sorted(faults, key=lambda fault: fault.line or 0)


def line_of(lines: Mapping[Keys, int], keys: Keys) -> int | None:
    """The line of `keys`, or of the nearest place above it that has one."""
    for length in range(len(keys), -1, -1):
        line = lines.get(keys[:length])
        if line is not None:
            return line
    return None
