"""Remembering what was computed from an object by which object it is, not by what is in it."""

from collections.abc import Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class ByObject(dict[Hashable, tuple[T, tuple[Any, ...]]]):
    """Results by the `id` of the objects that they were computed from; each with those objects.

    Configs are dicts, which have no hash, and comparing two takes as long as looking at one. But
    the hundred thousand configs of a grid share most of their parts, and a shared part has one
    `id`. Nothing that is known here may be changed in place.

    Looking up is a dict's own `get`, with a token that the caller makes of ids: a method of ours
    in between made expanding a grid a third slower.

    Args:
        most: results that are kept; when there are so many, all are forgotten, which costs less
            than to find the oldest.
    """

    def __init__(self, most: int = 1 << 13) -> None:
        super().__init__()
        self._most = most

    def keep(self, token: Hashable, result: T, *objects: Any) -> T:
        """Remember a result, and give it back.

        Args:
            objects: those whose ids are in the token. They are held, since the id of an object
                that is gone is given away again.
        """
        if len(self) >= self._most:
            self.clear()
        self[token] = (result, objects)
        return result
