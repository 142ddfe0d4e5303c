"""Records for programs."""

import json
import math
from typing import Any

import typer


def print_json(record: Any) -> None:
    """Print a record as strict JSON, which has no NaN: null stands for it."""
    typer.echo(json.dumps(_finite(record), indent=1, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
