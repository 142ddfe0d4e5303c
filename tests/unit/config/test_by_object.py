"""Results by the objects that they were computed from."""

from typing import Any

from pcm.config.by_object import ByObject


def test_equal_objects_are_two() -> None:
    known: ByObject[str] = ByObject()
    first: list[int] = []
    second: list[int] = []
    assert known.keep(id(first), "of the first", first) == "of the first"
    found = known.get(id(first))
    assert found is not None
    assert found[0] == "of the first"
    assert known.get(id(second)) is None


def test_an_object_that_is_known_keeps_its_id() -> None:
    known: ByObject[int] = ByObject()
    tokens = set()
    for number in range(100):
        config: dict[str, Any] = {"number": number}
        tokens.add(id(config))
        known.keep(id(config), number, config)
        del config
    assert len(tokens) == 100


def test_a_result_may_be_none() -> None:
    known: ByObject[None] = ByObject()
    thing = object()
    assert known.get(id(thing)) is None
    known.keep(id(thing), None, thing)
    assert known.get(id(thing)) is not None


def test_it_forgets_all_rather_than_to_grow() -> None:
    known: ByObject[int] = ByObject(most=3)
    things = [object() for _ in range(4)]
    for number, thing in enumerate(things):
        known.keep(id(thing), number, thing)
    assert list(known) == [id(things[3])]
