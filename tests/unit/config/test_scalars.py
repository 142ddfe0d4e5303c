"""Plain scalars follow YAML 1.2's core schema, not YAML 1.1."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcm.config.scalars import resolve_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5e+2", -150.0),
        ("+7", 7),
        ("-0", 0),
        ("007", 7),
        ("0o17", 15),
        ("0xFf", 255),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("Null", None),
    ],
)
def test_numbers_booleans_and_null(text: str, value: Any) -> None:
    resolved = resolve_scalar(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "n", "tRUE", "nULL"),
        *("1_000", "12:30:00", "0b11", "0o8", "1e", "e3", ".", "-", "+.5.", "0x", "1 2", "\u0661"),
        *("2024-01-01", "inf", "nan", "=", "<<"),
    ],
)
def test_everything_else_is_a_string(text: str) -> None:
    assert resolve_scalar(text) == text


def test_not_a_number_is_a_float() -> None:
    value = resolve_scalar(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


def test_more_digits_than_python_reads() -> None:
    with pytest.raises(ValueError, match="digits"):
        resolve_scalar("9" * 5000)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back(value: float) -> None:
    assert resolve_scalar(repr(value)) == value


@given(st.integers())
def test_every_integer_comes_back(value: int) -> None:
    resolved = resolve_scalar(str(value))
    assert type(resolved) is int
    assert resolved == value
