"""The command line of a rank, as text."""

import sys
from pathlib import Path

import pytest

from launch.container import (
    training_arguments,
    training_command,
    training_python,
)
from pcm.errors import UsageError


def test_this_interpreter_trains_unless_another_is_named() -> None:
    assert training_python({}) == [sys.executable]
    assert training_python({"PCM_PYTHON": "  "}) == [sys.executable]
    named = {"PCM_PYTHON": "'/my envs/é/bin/python' -X dev"}
    assert training_python(named) == ["/my envs/é/bin/python", "-X", "dev"]


def test_an_unclosed_quote_is_told() -> None:
    with pytest.raises(UsageError, match="PCM_PYTHON"):
        training_python({"PCM_PYTHON": "'/my envs"})


def test_words_are_never_joined() -> None:
    arguments = training_arguments(Path("/a b/c'd"), 3)
    command = training_command(["/usr/bin/python3"], arguments)
    assert command == ["/usr/bin/python3", "-m", "pcm", "/a b/c'd", "--attempt", "3"]


def test_a_wanted_checkpoint_is_passed_on() -> None:
    assert training_arguments(Path("/r"), 1, "epoch=1 step=2.ckpt")[-2:] == [
        "--checkpoint",
        "epoch=1 step=2.ckpt",
    ]
