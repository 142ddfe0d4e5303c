"""Optional keys, names, ranges, tagged unions, rules."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from pcm.config.inspection import summary
from pcm.config.shapes import (
    COUNT,
    FRACTION,
    POSITIVE,
    Choice,
    MapOf,
    Meaning,
    Number,
    OneOf,
    Record,
    Rule,
    Tagged,
)
from pcm.config.structure import ConfigStructure, Finding, Inspector, find_faults
from pcm.errors import Fault


def fault_of(cfg: Any, structure: ConfigStructure) -> Fault:
    (fault,) = find_faults(cfg, structure)
    return fault


RECORD = Record({"n": int}, {"momentum": float, "nesterov": bool})


@pytest.mark.parametrize("cfg", [{"n": 1}, {"n": 1, "momentum": 0.9}, {"nesterov": True, "n": 1}])
def test_optional_keys(cfg: Any) -> None:
    assert find_faults(cfg, RECORD) == []


def test_a_record_reports_missing_unknown_and_wrong() -> None:
    faults = find_faults({"momentum": "x", "nestrov": True}, RECORD)
    assert [fault.key for fault in faults] == ["momentum", "nestrov", "n"]
    assert faults[1].hint == "did you mean 'nesterov'?"
    assert fault_of([], RECORD).expected == "a mapping with n"


def test_a_hint_names_no_key_that_is_there_already() -> None:
    assert fault_of({"n": 1, "momentum": 0.5, "momentums": 1}, RECORD).hint is None


def test_an_empty_record_takes_no_keys() -> None:
    fault = fault_of({"alpha": 1}, Record())
    assert (fault.problem, fault.expected) == ("unknown key 'alpha'", "no keys here")
    assert str(Record()) == "an empty mapping: {}"


def test_a_relaxed_record_misses_nothing() -> None:
    assert find_faults({}, RECORD.relaxed()) == []
    assert fault_of({"n": "1"}, RECORD.relaxed()).key == "n"


def test_a_mapping_of_any_names() -> None:
    structure = MapOf([int])
    assert find_faults({}, structure) == find_faults({"x": [1], "y": []}, structure) == []
    assert fault_of({"x": [1], "y": ["1"]}, structure).key == "y.0"
    assert fault_of([], structure).problem == "wrong type"
    assert str(structure) == "a mapping of names to a list, each item int"


def test_one_of_some_names() -> None:
    structure = OneOf(("softplus", "exp"), "std transform")
    assert find_faults("exp", structure) == []
    fault = fault_of("softplas", structure)
    assert fault.problem == "unknown std transform"
    assert (fault.found, fault.expected) == ('"softplas"', "one of softplus, exp")
    assert fault.hint == "did you mean 'softplus'?"
    assert fault_of(3, structure).problem == "wrong type"


@pytest.mark.parametrize(
    ("number", "inside", "outside"),
    [
        (FRACTION, [0, 1, 0.5], [-1e-9, 1.2, 2]),
        (POSITIVE, [1e-9, 3], [0, -1.0]),
        (COUNT, [1, 10**9], [0, -1]),
        (Number(float, low=0, below=1), [0, 0.999], [1, 1.5]),
    ],
)
def test_ranges(number: Number, inside: list[float], outside: list[float]) -> None:
    for value in inside:
        assert find_faults(value, number) == []
    for value in outside:
        fault = fault_of(value, number)
        assert (fault.problem, fault.expected) == ("out of range", str(number))


@pytest.mark.parametrize(
    ("value", "problem"),
    [(True, "wrong type"), ("1", "wrong type"), (math.nan, "not a finite number")],
)
def test_a_range_is_of_numbers(value: Any, problem: str) -> None:
    assert fault_of(value, FRACTION).problem == problem


def test_how_ranges_read() -> None:
    assert str(FRACTION) == "float, at least 0 and at most 1"
    assert str(POSITIVE) == "float, above 0"


TAGGED = Tagged(
    {"name": str, "kwargs": dict, "note": (None, str)},
    tag="name",
    content="kwargs",
    choices={"step": {"step_size": int}, "const": {}},
    what="LR scheduler",
    open_to=lambda name: name.startswith("own:"),
)


def scheduler(name: Any, kwargs: Any) -> dict[str, Any]:
    return {"name": name, "kwargs": kwargs, "note": None}


def test_the_tag_decides_the_content() -> None:
    assert find_faults(scheduler("step", {"step_size": 1}), TAGGED) == []
    assert find_faults(scheduler("const", {}), TAGGED) == []
    assert fault_of(scheduler("step", {"step_size": "1"}), TAGGED).key == "kwargs.step_size"
    assert fault_of(scheduler("const", {"step_size": 1}), TAGGED).key == "kwargs.step_size"


def test_an_unknown_tag_is_one_fault_whatever_the_content() -> None:
    fault = fault_of(scheduler("stpe", {"whatever": 1}), TAGGED)
    assert (fault.problem, fault.key) == ("unknown LR scheduler", "name")
    assert fault.hint == "did you mean 'step'?"


def test_a_tag_that_is_open_allows_any_content() -> None:
    assert find_faults(scheduler("own:x", {"whatever": 1}), TAGGED) == []


def test_a_tag_of_the_wrong_type_or_missing() -> None:
    assert fault_of(scheduler(1, {}), TAGGED).problem == "wrong type"
    assert fault_of({"kwargs": {}, "note": None}, TAGGED).problem == "missing key 'name'"
    assert fault_of({"name": "step", "note": None}, TAGGED).problem == "missing key 'kwargs'"
    assert fault_of([], TAGGED).problem == "wrong type"


def test_a_boolean_tag() -> None:
    tagged = Tagged({"on": bool, "cfg": dict}, "on", "cfg", {True: {"a": int}, False: {}}, "kind")
    assert find_faults({"on": True, "cfg": {"a": 1}}, tagged) == []
    assert fault_of({"on": False, "cfg": {"a": 1}}, tagged).key == "cfg.a"
    assert fault_of({"on": 1, "cfg": {"a": 1}}, tagged).key == "on"


def not_equal(cfg: Any) -> Iterator[Finding]:
    if cfg["a"] == cfg["b"]:
        yield Finding(("b",), "b repeats a")


def test_a_rule_sees_well_formed_values_only() -> None:
    rule = Rule({"a": int, "b": int}, not_equal)
    assert find_faults({"a": 1, "b": 2}, rule) == []
    assert fault_of({"a": 1, "b": 1}, rule).problem == "b repeats a"
    assert fault_of({"a": 1}, rule).problem == "missing key 'b'"


def test_meaning_is_looked_for_even_where_the_form_is_wrong() -> None:
    def check(cfg: Any, _inspector: Inspector) -> Iterator[Finding]:
        if isinstance(cfg, dict) and "x" in cfg:
            yield Finding(("x",), "no x here")

    meaning = Meaning({"a": int}, check)
    assert [fault.key for fault in find_faults({"a": "1", "x": 1}, meaning)] == ["a", "x", "x"]
    assert fault_of([], meaning).problem == "wrong type"


def test_a_choice_by_a_glance() -> None:
    choice = Choice(lambda value: isinstance(value, str), OneOf(("auto",), "word"), [int])
    assert find_faults("auto", choice) == find_faults([1], choice) == []
    assert fault_of("atuo", choice).problem == "unknown word"
    assert fault_of(["1"], choice).key == "0"
    assert summary(choice) == "a list, each item int, or one of auto"
