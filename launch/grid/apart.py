"""What is wrong with axes and overrides that lead into a file which can't be judged with them.

Where a file is wrong by itself, or a path into it leads nowhere, nobody knows what will be in it.
So each path and value is judged alone, and only what the file's own faults have no part in is told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from launch.grid.blame import fault_of
from launch.grid.blocks import Block
from launch.grid.file import GridFile
from pcm.config.check import SECTIONS
from pcm.config.document import Document
from pcm.config.keys import Keys, overlap, value_at
from pcm.config.override import resolve, with_value
from pcm.config.structure import Finding, Inspector
from pcm.errors import ConfigError, Fault

_MOST_VALUES = 100
"""Of an axis that are looked at: a wrong one is seldom alone."""


def faults_apart(
    grid: GridFile, blocks: Iterable[Block], files: Mapping[tuple[str, str], Document]
) -> Iterator[Fault]:
    """Each fault once.

    Args:
        files: by their sections and names.
    """
    if not files:
        # As of nearly all grids, whose axes may have a hundred thousand values.
        return
    axes = [axis for block in blocks for axis in _axes(block)]
    fixed = [(path, [value]) for path, value in grid.fixed.items()]
    found: dict[Fault, None] = {}
    for (section, _), document in files.items():
        config = {section: document.data}
        wrong = _findings(config, section)
        for path, values in [*fixed, *axes]:
            if path.startswith(f"{section}."):
                faults = _faults_of(config, wrong, path, values)
                found |= dict.fromkeys(grid.locate(fault, path) for fault in faults)
    yield from found


def _axes(block: Block) -> Iterator[tuple[str, list[Any]]]:
    position = 0
    for group in block.groups:
        for column in zip(*group, strict=True):
            distinct = {repr(value): value for value in islice(column, _MOST_VALUES)}
            yield block.paths[position], list(distinct.values())
            position += 1


def _faults_of(
    config: Mapping[str, Any], wrong: Sequence[Finding], path: str, values: Sequence[Any]
) -> Iterator[Fault]:
    try:
        keys = resolve(config, path)
    except ConfigError as error:
        deepest = _deepest(config, path)
        if not any(_may_hide(finding.keys, deepest) for finding in wrong):
            yield from error.faults
        return
    for value in values:
        changed = with_value(config, keys, value)
        for finding in _findings(changed, str(keys[0])):
            if finding not in wrong and overlap(finding.keys, keys):
                yield fault_of(finding, changed)


def _findings(config: Mapping[str, Any], section: str) -> list[Finding]:
    found = Inspector().inspect(config[section], SECTIONS[section])
    return [each.under(section) for each in found]


def _deepest(config: Mapping[str, Any], path: str) -> Keys:
    """The place that a path leads to as far as it leads anywhere."""
    while path := path.rpartition(".")[0]:
        try:
            keys = resolve(config, path)
        except ConfigError:
            continue
        if value_at(config, keys) is not None:
            return keys
    return ()


def _may_hide(wrong: Keys, deepest: Keys) -> bool:
    """Whether what a path looks for below `deepest` may be there once `wrong` is mended.

    A name may be misspelt there, also that of an item, or the whole be of another kind.
    """
    is_above = wrong == deepest[: len(wrong)]
    is_inside = deepest == wrong[: len(deepest)] and len(wrong) - len(deepest) <= 2
    return is_above or is_inside
