"""Placeholders in the words of a command."""

import pytest

from pcm.config.command_words import filled, names_of, placeholders

PARAMS = {"lr": 1e-5, "name": "a b", "net": {"width": 3, "act": None}, "seed": 9, "flag": True}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("--lr={lr}", "--lr=1e-05"),
        ("{name}", "a b"),
        ("{net.width}/{net.act}", "3/null"),
        ("{flag}", "true"),
        ("{{lr}}", "{lr}"),
        ("{seed} {run_dir}", "9 /runs/{lr}"),
        ("{net}", '{"width": 3, "act": null}'),
    ],
)
def test_each_has_its_value(word: str, text: str) -> None:
    assert filled([word], PARAMS, seed=1, run_dir="/runs/{lr}") == [text]


def test_numbers_are_words_too() -> None:
    assert filled([3, 0.5, "x"], {}, seed=0, run_dir="") == ["3", "0.5", "x"]


@pytest.mark.parametrize("word", ["{", "}", "{}", "{0[1]}", "{lr!r}", "{lr:.3f}", "{a{b}}"])
def test_what_is_no_placeholder(word: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        placeholders(word)


def test_every_name_that_can_be_filled_in() -> None:
    assert list(names_of(PARAMS)) == ["lr", "name", "net", "net.width", "net.act", "seed", "flag"]
