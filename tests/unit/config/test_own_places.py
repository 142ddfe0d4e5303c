"""Which places of a config no rule looks at."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from pcm.config.inspection import Finding, Inspector
from pcm.config.own_places import structures_of_places
from pcm.config.shapes import COUNT, Meaning, Rule

CONFIG = {"size": {"width": 1, "depth": 2}, "name": "small"}


def asked(read: Callable[[Mapping[str, Any]], object], config: Any = CONFIG) -> Any:
    """What decides about the width, where a rule over all sizes reads this."""

    def check(size: Mapping[str, Any]) -> Iterable[Finding]:
        read(size)
        return ()

    size = Rule({"width": COUNT, "depth": COUNT}, check)
    return structures_of_places(config, {"size": size, "name": str}, [("size", "width")])


def test_a_place_that_no_rule_looks_at_need_only_fit_its_structure() -> None:
    assert asked(lambda size: size["depth"] + len(size)) == [[COUNT]]
    assert asked(lambda size: [*size, "width" in size]) == [[COUNT]]


@pytest.mark.parametrize(
    "read",
    [
        lambda size: size["width"] > 1,
        lambda size: size.get("width"),
        lambda size: [*size.values()],
        lambda size: dict(size.items()),
        dict,
        lambda size: {**size},
        lambda size: size | {},
        lambda size: {} | size,
        lambda size: size.copy(),
        lambda size: size == {"width": 1, "depth": 2},
        lambda size: {"size": size} == {"size": {"width": 1, "depth": 2}},
        lambda size: Inspector().inspect(size, {"width": COUNT, "depth": COUNT}),
        str,
    ],
)
def test_however_a_rule_looks_at_it_it_is_noticed(
    read: Callable[[Mapping[str, Any]], object],
) -> None:
    assert asked(read) is None


def test_a_rule_may_ask_whether_all_fits() -> None:
    wide = {"width": (None, COUNT), "depth": COUNT}

    def check(config: Any, inspector: Inspector) -> Iterable[Finding]:
        return inspector.inspect(config["size"], wide)

    structure = Meaning({"size": {"width": COUNT, "depth": COUNT}, "name": str}, check)
    places = [("size", "width"), ("name",)]
    assert structures_of_places(CONFIG, structure, places) == [[COUNT, wide["width"]], [str]]


def test_where_the_rest_is_wrong_nothing_is_said_of_the_places() -> None:
    assert asked(len, {**CONFIG, "name": 3}) is None
    assert asked(len, {**CONFIG, "size": {"width": 1}}) is None


def test_an_item_of_a_list_is_never_one() -> None:
    assert structures_of_places({"sizes": [1, 2]}, {"sizes": [COUNT]}, [("sizes", 0)]) is None
