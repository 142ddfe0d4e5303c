"""The nearest right name, and how values are shown."""

from typing import Any

import pytest

from pcm.config.names import did_you_mean, nearest_file, nearest_name
from pcm.config.wording import shown, shown_with_kind

NAMES = ["max_epochs", "batch_size", "latent/posterior_gaussian", "misc/cloner"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("max_epoch", "max_epochs"),
        ("Batch_Size", "batch_size"),
        ("latent/posterior_gausian", "latent/posterior_gaussian"),
        ("posterior_gaussian", "latent/posterior_gaussian"),
        ("cloner", "misc/cloner"),
        ("other/cloner", "misc/cloner"),
        ("zzz", None),
        ("", None),
    ],
)
def test_nearest_name(name: str, nearest: str | None) -> None:
    assert nearest_name(name, NAMES) == nearest
    assert did_you_mean(name, NAMES) == (nearest and f"did you mean '{nearest}'?")


def test_no_names_at_all() -> None:
    assert nearest_name("x", []) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-3, "0.001"),
        ("ä\n", '"ä\\n"'),
        ([], "[]"),
        ([1, 2], "a list of 2"),
        ({}, "{}"),
        ({"a": 1, "b": 2}, "a mapping of a, b"),
    ],
)
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


def test_long_values_are_shortened() -> None:
    assert len(shown("x" * 1000)) == len(shown({"key" * 99: 1})) == 60
    assert shown("x" * 1000).endswith("...")


def test_kinds() -> None:
    assert shown_with_kind("3") == '"3" (a string)'
    assert shown_with_kind((1,)) == "(1,) (tuple)"
    assert shown_with_kind([1]) == "a list of 1"


def test_files_are_alike_by_their_names_without_the_ending() -> None:
    names = ["vae.yaml", "pcm-cvae.yaml", "notes.txt"]
    assert nearest_file("models/pcm_cvae.yml", names) == "pcm-cvae.yaml"
    assert nearest_file("tiny.yaml", names) is None
