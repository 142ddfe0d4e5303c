"""Which variables are secrets, and what is left of their values in a text."""

import pytest

from pcm.secret_values import is_secret, scrub


@pytest.mark.parametrize(
    "name",
    ["NEPTUNE_API_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "db_password", "SIGNING_KEY"],
)
def test_a_secret_is_known_by_its_variables_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["HOME", "KEYBOARD", "MY_KEY_PATH", "TOKEN_URL", "MONKEY"])
def test_other_variables_are_none(name: str) -> None:
    assert not is_secret(name)


def test_a_longer_secret_is_not_half_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "12345678")
    monkeypatch.setenv("B_TOKEN", "12345678-9")
    monkeypatch.setenv("SHORT_TOKEN", "1234567")
    assert scrub("12345678-9, 12345678, 1234567") == "***B_TOKEN***, ***A_TOKEN***, 1234567"
