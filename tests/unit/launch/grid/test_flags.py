from typing import Any

import pytest

from launch.grid import parse_assignment
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
