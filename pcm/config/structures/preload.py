"""`preload:` of a grid file or of a user's settings: modules to load once for many trainings."""

import keyword
from collections.abc import Iterator

from pcm.config.shapes import Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.wording import shown


def _check(name: str) -> Iterator[Finding]:
    parts = name.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        expected = "the name that `import` takes, e.g. transformers or my_models.blocks"
        yield Finding((), "not a module's name", shown(name), expected)


PRELOAD: ConfigStructure = [Rule(str, _check)]
