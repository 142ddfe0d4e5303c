"""The last losses of a journal, from its end alone: for those who look at many, again and again."""

import os
from contextlib import suppress
from pathlib import Path

from pcm.run_dir.journal import LOSSES
from pcm.run_dir.typed_json import parse_object

BYTES = 65_536
"""How much of the end is read: some hundred rows."""


def recent_losses(journal: Path) -> list[float]:
    """Losses of training, the newest last; none where there is no such journal."""
    found: list[float] = []
    try:
        with journal.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return []
    # The first line may be the end of one; what is no row has no loss either.
    for line in lines[1:] if size > BYTES else lines:
        with suppress(ValueError):
            values = parse_object(line).get("values")
            if isinstance(values, dict):
                losses = (values[name] for name in LOSSES if name in values)
                found += [float(loss) for loss in losses if isinstance(loss, int | float)][:1]
    return found
