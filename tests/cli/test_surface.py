"""The command surface is frozen, and every command has help, an example and a page."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from launch.cli import app
from pcm.errors import ExitCode
from tests.cli.surface import GOLDEN, all_commands, surface

ROOT = Path(__file__).parents[2]
ALL = all_commands()
COMMANDS = sorted(ALL)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

OPTIONS_OF_ALL = {"--help", "--install-completion", "--show-completion"}


def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    return result.output


def blocks(text: str) -> Iterator[str]:
    """The content of every bash block."""
    yield from re.findall(r"```(?:bash|sh|console)\n(.*?)```", text, re.DOTALL)


def typed_commands(text: str) -> Iterator[list[str]]:
    """Every `pcm ...` line, as words, without comments, pipes and prompts."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s(?:\||>|&&|;)\s", line):
            words = shlex.split(part.strip().removeprefix("$ "), comments=True)
            while words and "=" in words[0] and not words[0].startswith("-"):
                words = words[1:]
            if words[:1] == ["pcm"]:
                yield words[1:]


def examples() -> Iterator[Any]:
    for page in PAGES:
        for block in blocks(page.read_text()):
            for words in typed_commands(block):
                yield pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for name in COMMANDS:
        example = re.split(r"Examples?:", help_of(*name.split()), maxsplit=1)[-1]
        example = example.split("Options:")[0]
        for words in typed_commands(example):
            yield pytest.param(words, id=f"{name} --help: {' '.join(words)}")


def test_the_surface_is_the_one_written_down() -> None:
    assert surface() == GOLDEN.read_text(), (
        "the command line has changed; if that is meant, note it in CHANGELOG.md and run "
        "python -m tests.cli.surface"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_an_example(name: str) -> None:
    text = help_of(*name.split())
    assert re.search(rf"Examples?:\n +pcm {name}\b", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    for parameter in ALL[name].params:
        assert getattr(parameter, "help", None), f"pcm {name} {parameter.name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal_of_80_columns(name: str) -> None:
    assert max(map(len, help_of(*name.split()).splitlines())) <= 80


def test_the_list_of_commands_cuts_no_description() -> None:
    assert "..." not in help_of().split("Options:")[1]


def test_the_list_of_commands_is_grouped_and_whole() -> None:
    text = help_of().split("Exit codes:")[0]
    for name in COMMANDS:
        if " " not in name:
            assert re.search(rf"^  {name} +[A-Z]", text, re.MULTILINE)
    assert "Commands:" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page_of_the_command_line(name: str) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    assert f"## pcm {name}\n" in page


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_on_the_page_of_its_command(name: str) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    section = page.split(f"## pcm {name}\n", 1)[1].split("\n## ", 1)[0]
    for parameter in ALL[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in OPTIONS_OF_ALL:
                assert f"`{option}" in section, f"{option} of pcm {name}"


def test_exit_codes_are_in_the_help_and_on_the_page() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text()
    for code in ExitCode:
        if code is not ExitCode.STOPPED:
            assert re.search(rf"^ +{code.value} +\w", help_of(), re.MULTILINE)
            assert f"| {code.value} |" in page


@pytest.mark.parametrize("words", list(examples()))
def test_every_documented_command_can_be_typed(words: list[str]) -> None:
    if not words or words[0].startswith("-"):
        assert set(words) <= {"--help", "--version", "--debug"}
        return
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS), None)
    assert name is not None
    with pytest.raises(SystemExit) if {"--help", "-h"} & set(words) else _nothing():
        ALL[name].make_context(name, words[len(name.split()) :])


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()
