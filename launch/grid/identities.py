"""Identities of a grid's points."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.grid.points import Frame
from pcm.config.by_object import ByObject
from pcm.config.identity import Identifier
from pcm.config.identity_template import IdentityTemplate, serves
from pcm.config.keys import overlapping
from pcm.config.override import Variants


class Identities:
    """By a template for each frame, where there can be one; else by the whole config.

    Args:
        more: what else changes results.
    """

    def __init__(self, variants: Variants, more: Mapping[str, Any]) -> None:
        self._variants = variants
        self._more = more
        self._identifier = Identifier()
        self._templates: ByObject[IdentityTemplate | None] = ByObject()

    def identity(self, frame: Frame, values: Sequence[Any], world_size: int) -> str:
        """The identity of the point of these values."""
        known = self._templates.get(id(frame))
        if known is None:
            template = self._templates.keep(id(frame), self._template(frame), frame)
        else:
            template = known[0]
        identity = None
        if template is not None:
            varied = [values[position] for position, _ in frame.targets]
            identity = template.identity([*varied, world_size])
        if identity is None:
            config = frame.config_of(values, self._variants.with_value)
            identity = self._identifier.identity({**config, "world_size": world_size}, **self._more)
        return identity

    def _template(self, frame: Frame) -> IdentityTemplate | None:
        places = [keys for _, keys in frame.targets]
        if not serves(places) or overlapping(places):
            return None
        places.append(("world_size",))
        return IdentityTemplate(self._identifier, frame.config, places, **self._more)
