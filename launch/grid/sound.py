"""What is left of a grid file whose form is wrong in places: the rest is looked at all the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from pcm.config.keys import Keys
from pcm.config.structures.run_command import RUN

_BESIDE_POINTS = frozenset(
    {
        *("name", "tags", "container", "checkpoints", "tracker", "notify", "preload"),
        *("seed", "subsample_size", "version", "starts_from", "resources"),
    }
)
"""Entries without which the points' configs are as right, or as wrong, but for their ranks."""

_WHAT_THEY_ARE = ("base", RUN)

_OF_ITEMS = ("zip", "include")


def has_files(data: Any) -> bool:
    """Whether it is known at all what the points of a grid file are of."""
    return isinstance(data, dict) and ("base" in data) is not (RUN in data)


def without(data: Mapping[str, Any], places: Iterable[Keys]) -> dict[str, Any]:
    """A grid file's entries without those that are wrong, what they hold beside it kept."""
    left = dict(data)
    for head, *inside in places:
        if head in _WHAT_THEY_ARE:
            # By these it is told which paths there can be.
            continue
        if head == "resources" and inside:
            left[head] = {key: value for key, value in left[head].items() if key != inside[0]}
        elif head in _OF_ITEMS and inside and head in left:
            # The items after it keep their numbers, and so their lines.
            left[head] = [
                {} if index == inside[0] else item for index, item in enumerate(left[head])
            ]
        elif head == "random" and inside and inside[0] in ("n", "seed") and head in left:
            left[head] = {**left[head], inside[0]: 1}
        else:
            left.pop(str(head), None)
    return left


def files_are_known(places: Iterable[Keys]) -> bool:
    """Whether base files can be looked at although these places are wrong."""
    return not any(keys[0] == RUN or keys == ("base",) for keys in places)


def points_are_known(places: Iterable[Keys]) -> bool:
    """Whether points can be put together although these places are wrong."""
    return _BESIDE_POINTS.issuperset(keys[0] for keys in places)


def ranks_are_known(places: Iterable[Keys]) -> bool:
    """Whether it is known how many ranks a point has although these places are wrong."""
    return all(keys[0] != "resources" for keys in places)
