from pathlib import Path
from typing import Any

import numpy as np
import pytest

from launch.grid import parse_assignment, plain_assignments
from pcm.errors import ExitCode, UsageError


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("seed=3", "seed", 3),
        ("a.b=1e-3", "a.b", 0.001),
        ("a.b=[1, 2]", "a.b", [1, 2]),
        ("a.b={c: true}", "a.b", {"c": True}),
        ("a.b=yes", "a.b", "yes"),
        ('a.b="3"', "a.b", "3"),
        ("a.b=x=y", "a.b", "x=y"),
        ("a.b=", "a.b", None),
        ("a.b=null", "a.b", None),
    ],
)
def test_values_are_read_as_in_a_file(text: str, path: str, value: Any) -> None:
    found = parse_assignment(text)
    assert found == (path, value)
    assert type(found[1]) is type(value)


@pytest.mark.parametrize("text", ["seed", "=3", "", "a.b=[1", "a.b=!!python/object:x {}"])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_assignment(text)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.bool_(True), True),  # how NumPy has it
        (ExitCode.STOPPED, 75),
        (Path("a b"), "a b"),
        ((1, Path("x")), [1, "x"]),
        ({"a": {"b": (np.int8(1),)}}, {"a": {"b": [1]}}),
        (None, None),
    ],
)
def test_values_from_python_are_those_of_a_file(value: Any, plain: Any) -> None:
    found = plain_assignments({"a.b": value})["a.b"]
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", {1: 2}, np.zeros(2), [[print]]])
def test_what_no_file_could_have_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match=r"a\.b.*: a value that no file could have"):
        plain_assignments({"a.b": value})
