"""Points checked all the way down, what they share only once."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.grid.bases import FOLDERS
from pcm.config.check import EXPERIMENT
from pcm.config.structure import Finding, Inspector
from pcm.config.structures.script import RUN


class Checker:
    """Inspects configs that share most of their parts.

    A seed is right or wrong whatever the model; so once the sections of a config have
    passed together, and its seed and subsample size each somewhere, nothing is left to
    look at. Nothing that was inspected may be changed in place.
    """

    _MOST_PASSED = 1 << 14

    def __init__(self) -> None:
        self._inspector = Inspector()
        # Holding on to what passed keeps its ids from being given away again.
        self._passed: dict[tuple[str | int, ...], tuple[Any, ...]] = {}

    def findings(self, config: Mapping[str, Any]) -> Sequence[Finding]:
        """What is wrong with an experiment's config."""
        parts = {
            "sections": tuple(config.get(section) for section in (*FOLDERS, RUN)),
            "seed": (config["seed"],),
            "subsample_size": (config["subsample_size"],),
        }
        tokens: dict[tuple[str | int, ...], tuple[Any, ...]] = {
            (name, *map(id, part)): part for name, part in parts.items()
        }
        if tokens.keys() <= self._passed.keys():
            return ()
        findings = self._inspector.inspect(config, EXPERIMENT)
        if not findings:
            if len(self._passed) >= self._MOST_PASSED:
                self._passed.clear()
            self._passed.update(tokens)
        return findings
