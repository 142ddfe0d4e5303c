"""One experiment without a grid file, through the same code as a grid."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.grid.expanding import expand_document
from launch.grid.points import Grid
from launch.grid.spelling import OPTIONS, Spelling
from pcm.config.document import parse_document


def single(
    *,
    name: str,
    model: str,
    data_train: str | None = None,
    data_val: str | None = None,
    trainer: str | None = None,
    seed: int = 0,
    subsample_size: int | None = None,
    tags: Sequence[str] = (),
    tracker: Mapping[str, Any] | list[dict[str, Any]] | None = None,
    checkpoint: Path | None = None,
    resources: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    spelling: Spelling = OPTIONS,
) -> Grid:
    """A grid of one point.

    Args:
        name: of the experiment, and of the sweep that holds it alone.
        model, data_train, data_val, trainer: config files, looked up from the working
            directory as a grid file there would; no data where the model has loaders.
        tracker: name and project, or a list of such.
        checkpoint: whose weights training starts from.
        resources: what it asks for, each from an option of its name.
        defaults: what it asks for where no option says otherwise.
        spelling: how the options are called in what is said of them.

    Raises:
        ConfigError: with everything that is wrong with the files.
    """
    files = {"model": model, "data_train": data_train, "data_val": data_val, "trainer": trainer}
    asked = {key: value for key, value in (resources or {}).items() if value is not None}
    entries = {
        "name": name,
        "tags": list(tags),
        "base": {name: file for name, file in files.items() if file or name == "data_train"},
        "seed": seed,
        "subsample_size": subsample_size,
        "resources": {**(defaults or {}), **asked},
        "tracker": tracker,
        "starts_from": None if checkpoint is None else {"checkpoint": str(checkpoint.absolute())},
    }
    # JSON is YAML too, and this way the store keeps a grid file that says it all.
    text = json.dumps(
        {key: value for key, value in entries.items() if value is not None},
        indent=1,
        ensure_ascii=False,
    )
    # Nobody has seen this text, so nothing is blamed on a line of it.
    document = replace(parse_document(text, spelling.call), lines={})
    return expand_document(document, text, Path.cwd(), resources=asked, spelling=spelling)
