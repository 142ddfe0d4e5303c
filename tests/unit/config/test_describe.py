"""Structures as YAML-like text."""

from argparse import Namespace
from typing import Any

import pytest

from pcm.config.describe import describe, describe_at
from pcm.config.shapes import FRACTION, Choice, MapOf, Meaning, OneOf, Record, Rule, Tagged
from pcm.config.structure import ConfigStructure
from pcm.config.structures import spec_paths, structure_at
from pcm.errors import ExitCode, NotFoundError


@pytest.mark.parametrize(
    ("structure", "text"),
    [
        (int, "int"),
        (None, "null"),
        (int | str, "int or str"),
        ((None, int, [str]), "null | int | [str]"),
        (Namespace, "anything"),
        ([float], "[float]"),
        ({}, "{}"),
        (FRACTION, "float, at least 0 and at most 1"),
        (OneOf(("a", "b"), "letter"), "a | b"),
        (MapOf(int), "{NAME: int}"),
        (MapOf({"a": int}), "NAME:\n  a: int"),
        ({"a": int, "b": {"c": [str]}}, "a: int\nb:\n  c: [str]"),
        ({"a": [{"b": int, "c": {"d": str}}]}, "a:\n  - b: int\n    c:\n      d: str"),
        ({"a": (None, {"b": int})}, "a:  # null, or\n  b: int"),
        ({"a": ({"b": int}, {"c": int})}, "a:\n  b: int\n  # or\n  c: int"),
        (Record({"a": int}, {"b": (None, str)}), "a: int\nb: null | str  # optional"),
        (Record({}, {"b": (None, {"c": int})}), "b:  # optional, null, or\n  c: int"),
        (Rule({"a": int}, lambda _value: []), "a: int"),
        (Meaning([int], lambda _value, _inspector: []), "[int]"),
        (Choice(bool, {"a": int}, {"b": int}), "b: int\n# or\na: int"),
        (
            Tagged({"name": str, "cfg": dict, "p": float}, "name", "cfg", {"x": {}, "y": {}}, "z"),
            "name: x | y\ncfg: as name says\np: float",
        ),
    ],
)
def test_describe(structure: ConfigStructure, text: str) -> None:
    assert describe(structure) == text


def test_many_choices_stand_below_each_other() -> None:
    choices: dict[str, Any] = {f"a_rather_long_name_{number}": {} for number in range(9)}
    text = describe(Tagged({"name": str, "cfg": dict}, "name", "cfg", choices, "thing"))
    assert text.startswith("name: str  # one of\n  # a_rather_long_name_0\n")


@pytest.mark.parametrize("path", spec_paths())
def test_every_spec_path_is_described(path: str) -> None:
    text = describe_at(path)
    assert text.startswith(describe(structure_at(path)))
    assert "Namespace" not in text
    assert "object at" not in text


def test_a_link_tells_its_methods_and_losses() -> None:
    text = describe_at("latent/prior_vec_conditioned_logits_gaussian_mixture_nll")
    assert "# method get_means(gm_means_name: str)" in text
    assert "# loss prior_nll" in text
    assert "clone: bool, optional" in describe_at("misc/cloner")


def test_a_plot_function_tells_its_data() -> None:
    assert describe_at("plot_functions/pairplot").endswith("# data_args_names: data, colors")


def test_an_unknown_spec_path() -> None:
    with pytest.raises(NotFoundError) as caught:
        structure_at("latent/posterior_gausian")
    assert caught.value.exit_code is ExitCode.NOT_FOUND
    assert caught.value.hint == "did you mean 'latent/posterior_gaussian'?"


@pytest.mark.parametrize(
    "path",
    ["model", "data", "trainer", "grid", "site", "experiment", "optimizers/adam", "norm/batch"],
)
def test_the_main_spec_paths(path: str) -> None:
    assert path in spec_paths()
