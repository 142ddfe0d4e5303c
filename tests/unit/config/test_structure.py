"""ConfigStructure: what fits, and what is said about what doesn't."""

import math
from argparse import Namespace
from typing import Any, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcm.config.document import parse_document
from pcm.config.inspection import summary
from pcm.config.structure import (
    ConfigStructure,
    Inspector,
    find_faults,
    validate_config_structure,
)
from pcm.errors import ConfigError, ExitCode, Fault


def fault_of(cfg: Any, structure: ConfigStructure) -> Fault:
    (fault,) = find_faults(cfg, structure)
    return fault


@pytest.mark.parametrize(
    ("cfg", "structure"),
    [
        (1, int),
        (-1.5, float),
        (2, float),
        (10**300, float),
        (True, bool),
        ("", str),
        (None, None),
        ([], [int]),
        ([1, 2], [int]),
        ({}, {}),
        ({"a": 1, "b": {"c": ["x"]}}, {"a": int, "b": {"c": [str]}}),
        (None, (None, int)),
        (3, (None, int)),
        ("x", int | str),
        (None, int | None),
        (1, Union[int, str]),  # noqa: UP007 - the older spelling must do as well
        (None, Optional[int]),  # noqa: UP045 - the older spelling must do as well
        ([1], (int, [int])),
        ({"x": [1, None]}, Namespace),
        (math.nan, Namespace),
        ({"any": "keys"}, dict),
        ([1, "x"], list),
        ({"b": 1}, ({"a": int}, {"b": int})),
    ],
)
def test_what_fits(cfg: Any, structure: ConfigStructure) -> None:
    assert find_faults(cfg, structure) == []
    validate_config_structure(cfg, structure)


@pytest.mark.parametrize(
    ("cfg", "structure", "found", "expected", "hint"),
    [
        (True, int, "true (a boolean)", "int", None),
        (False, float, "false (a boolean)", "float", None),
        (1, bool, "1 (an integer)", "bool", None),
        ("3", int, '"3" (a string)', "int", "remove the quotes"),
        ("1e-3", float, '"1e-3" (a string)', "float", "remove the quotes"),
        ("true", bool, '"true" (a string)', "bool", "remove the quotes"),
        ("yes", bool, '"yes" (a string)', "bool", "write true"),
        ("Off", bool, '"Off" (a string)', "bool", "write false"),
        (1000.0, int, "1000.0 (a number)", "int", "write 1000"),
        (1.5, int, "1.5 (a number)", "int", None),
        (3, str, "3 (an integer)", "str", 'put it in quotes: "3"'),
        (None, str, "null", "str", None),
        (1, None, "1 (an integer)", "null", None),
        ([1], float, "a list of 1", "float", None),
        (1.5, int | str, "1.5 (a number)", "int or str", 'put it in quotes: "1.5"'),
        ([1], {"a": int}, "a list of 1", "a mapping with a", "write 'key: value' without '- '"),
        (None, {"a": int}, "null", "a mapping with a", "write {} for a mapping without keys"),
        ({"a": 1}, [int], "a mapping of a", "a list, each item int", "begin every item with '- '"),
        (1, [int], "1 (an integer)", "a list, each item int", "write a list, e.g. [1]"),
        (None, [int], "null", "a list, each item int", "write [] for a list without items"),
    ],
)
def test_wrong_type(
    cfg: Any, structure: ConfigStructure, found: str, expected: str, hint: str | None
) -> None:
    fault = fault_of(cfg, structure)
    assert fault.problem == "wrong type"
    assert (fault.found, fault.expected, fault.hint) == (found, expected, hint)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400])
def test_numbers_are_finite(value: float) -> None:
    assert fault_of({"lr": value}, {"lr": float}).problem == "not a finite number"
    assert fault_of({"lr": value}, {"lr": float}).key == "lr"


def test_a_missing_key() -> None:
    fault = fault_of({"a": 1}, {"a": int, "b": {"c": int}})
    assert (fault.problem, fault.key) == ("missing key 'b'", "b")
    assert fault.expected == "a mapping with c"


def test_a_missing_key_that_may_be_null_says_so() -> None:
    fault = fault_of({}, {"a": (None, int)})
    assert fault.hint == "write 'a: null' for none"


def test_an_unknown_key() -> None:
    fault = fault_of({"a": 1, "zzz": 2}, {"a": int})
    assert (fault.problem, fault.key) == ("unknown key 'zzz'", "zzz")
    assert fault.expected == "one of a"
    assert fault.hint is None


def test_a_misspelt_key_is_one_fault_with_the_right_name() -> None:
    fault = fault_of({"max_epoch": 1, "batch_size": 2}, {"max_epochs": int, "batch_size": int})
    assert fault.problem == "unknown key 'max_epoch'"
    assert fault.hint == "did you mean 'max_epochs'?"


def test_a_key_that_stands_further_down_is_shown_its_place() -> None:
    cfg = {"lr": 1, "optimizer": {"kwargs": {"lr": 2}}}
    fault = fault_of(cfg, {"optimizer": {"kwargs": {"lr": int}}})
    assert (fault.problem, fault.hint) == (
        "unknown key 'lr'",
        "did you mean 'optimizer.kwargs.lr'?",
    )


def test_a_key_of_another_type_than_string() -> None:
    assert fault_of({1: 2}, {}).problem == "unknown key '1'"


def test_every_fault_at_once() -> None:
    cfg = {"a": "x", "b": [1, "y", True], "d": 1}
    faults = find_faults(cfg, {"a": int, "b": [int], "c": int})
    assert [fault.key for fault in faults] == ["a", "b.1", "b.2", "d", "c"]


def test_list_items_are_called_by_name() -> None:
    cfg = {
        "chain": [{"name": "encoder", "x": 1}, {"name": "a b", "x": "1"}, {"name": "c", "x": "1"}]
    }
    faults = find_faults(cfg, {"chain": [{"name": str, "x": int}]})
    assert [fault.key for fault in faults] == ["chain.1.x", "chain.c.x"]


def test_the_report_says_why_the_closest_alternative_failed() -> None:
    structure = (None, {"a": int, "b": int}, {"x": str})
    fault = fault_of({"a": 1, "b": "2"}, structure)
    assert fault.key == "b"
    assert fault.problem == "wrong type (of 3 alternatives, closest is a mapping with a, b)"
    assert fault.expected == "int"


def test_with_one_alternative_beside_null_the_report_is_as_without() -> None:
    assert fault_of({"a": "x"}, (None, {"a": int})).problem == "wrong type"
    assert fault_of({"a": "x"}, ({"a": int}, None)).key == "a"


def test_a_value_like_none_of_the_alternatives() -> None:
    fault = fault_of("x", (None, int, [int]))
    assert fault.problem == "fits no alternative"
    assert fault.expected == "null or int or a list, each item int"
    assert fault.found == '"x" (a string)'


def test_not_finite_is_closer_than_another_type() -> None:
    assert fault_of(math.nan, (None, float)).problem == "not a finite number"


def test_file_line_and_place_in_the_file() -> None:
    text = "head: 1\nlinks:\n  - name: a\n    size: x\n  - name: b\n    sise: 1\n"
    document = parse_document(text, "m.yaml")
    structure = [{"name": str, "size": int}]
    first, second = find_faults(
        document.data["links"], structure, file="m.yaml", lines=document.lines, key=("links",)
    )
    assert (first.file, first.line, first.key) == ("m.yaml", 4, "links.a.size")
    assert (second.file, second.line, second.key) == ("m.yaml", 6, "links.b.sise")


def test_a_missing_key_has_the_line_of_what_lacks_it() -> None:
    document = parse_document("a: 1\nb:\n  c: 1\n", "m.yaml")
    (fault,) = find_faults(
        document.data, {"a": int, "b": {"c": int, "d": int}}, file="m.yaml", lines=document.lines
    )
    assert (fault.line, fault.key) == (2, "b.d")


def test_faults_are_in_the_order_of_the_file() -> None:
    document = parse_document("z: x\ny: x\na: x\n", "m.yaml")
    structure = {"a": int, "y": int, "z": int}
    faults = find_faults(document.data, structure, file="m.yaml", lines=document.lines)
    assert [fault.line for fault in faults] == [1, 2, 3]


def test_validate_raises_with_everything() -> None:
    with pytest.raises(ConfigError) as caught:
        validate_config_structure({"a": "x", "c": 1}, {"a": int, "b": int})
    assert len(caught.value.faults) == 3
    assert caught.value.exit_code is ExitCode.CONFIG_INVALID
    assert "a: wrong type" in str(caught.value)


@pytest.mark.parametrize("structure", [3, "int", [int, str], list[int], object()])
def test_what_is_no_structure(structure: Any) -> None:
    with pytest.raises(TypeError):
        find_faults([1], structure)


@pytest.mark.parametrize(
    ("structure", "text"),
    [
        (Namespace, "anything"),
        ((None, int), "null or int"),
        (int | str, "int or str"),
        ([{"a": int}], "a list, each item a mapping with a"),
        ({}, "a mapping"),
    ],
)
def test_summary(structure: ConfigStructure, text: str) -> None:
    assert summary(structure) == text


def test_an_inspector_computes_once_for_the_same_objects() -> None:
    calls = []

    def count(_inspector: Inspector, part: Any) -> int:
        calls.append(part)
        return len(calls)

    inspector = Inspector()
    part = [1]
    assert inspector.once(count, part) == inspector.once(count, part) == 1
    assert inspector.once(count, [1]) == 2


def test_an_inspector_looks_at_shared_parts_once() -> None:
    inspector = Inspector()
    shared = {"a": 1}
    structure = {"x": {"a": int}, "y": int}
    assert inspector.inspect({"x": shared, "y": 1}, structure) == []
    # Against the rule that nothing is changed in place: so the change goes unseen.
    shared["a"] = "1"  # type: ignore[assignment]  # the wrong type is the point
    assert inspector.inspect({"x": shared, "y": 1}, structure) == []
    assert Inspector().inspect({"x": shared, "y": 1}, structure)[0].keys == ("x", "a")


def test_an_inspector_tells_equal_but_different_objects_apart() -> None:
    inspector = Inspector()
    for index in range(20_000):
        value = {"a": index if index % 2 else str(index)}
        assert bool(inspector.inspect(value, {"a": int})) == (index % 2 == 0)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from("abc"), inside, max_size=3)
    ),
    max_leaves=8,
)
STRUCTURES = st.recursive(
    st.sampled_from([None, int, float, bool, str, int | str, Namespace]),
    lambda inside: (
        inside.map(lambda item: [item])
        | st.dictionaries(st.sampled_from("abc"), inside, max_size=3)
        | st.lists(inside, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def fits(value: Any, structure: Any) -> bool:
    """The semantics in a few lines, without any report."""
    if isinstance(structure, dict):
        return (
            isinstance(value, dict)
            and value.keys() == structure.keys()
            and all(fits(value[key], structure[key]) for key in structure)
        )
    if isinstance(structure, list):
        return isinstance(value, list) and all(fits(item, structure[0]) for item in value)
    if isinstance(structure, tuple):
        return any(fits(value, alternative) for alternative in structure)
    if structure is float:
        return type(value) in (int, float) and math.isfinite(value)
    types = {None: (type(None),), int | str: (int, str)}.get(structure, (structure,))
    return structure is Namespace or type(value) in types


@given(VALUES, STRUCTURES)
def test_faults_are_found_exactly_where_something_does_not_fit(value: Any, structure: Any) -> None:
    faults = find_faults(value, structure)
    assert bool(faults) != fits(value, structure)
    assert len(faults) == len(set(faults))
