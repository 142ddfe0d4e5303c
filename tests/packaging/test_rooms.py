"""The rooms of `launch/`: imports go down, names are unique, only commands print."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parents[2] / "launch"

FLOORS = (
    ("__main__",),
    ("cli",),
    ("api",),
    ("answers", "resumption", "single_experiment"),
    ("proposal",),
    ("pack",),
    ("local", "report"),
    ("submit",),
    ("image", "importing", "plan", "results", "supervisor"),
    ("notify",),
    ("status", "wishes"),
    ("validate",),
    ("classes",),
    ("container",),
    ("store",),
    ("arguments", "grid"),
    ("methods",),
    ("signatures", "site"),
    (
        "config_folders",
        "damage",
        "executor",
        "machine",
        "projects",
        "slurm",
        "sources",
        "telling",
        "text",
        "user_settings",
    ),
)
"""Folders and files of `launch/`, from the roof down; docs/architecture.md says what each holds."""

LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

COMMANDS = LAUNCH / "cli" / "commands"

FORMER = LAUNCH / "slurm" / "task.py"
"""Not a part of its room: payloads of jobs that version 0.1 submitted name it."""

FILES = sorted(file for file in LAUNCH.rglob("*.py") if file != FORMER)


def room_of(file: Path) -> str:
    return file.relative_to(LAUNCH).parts[0].removesuffix(".py")


def imported_rooms(file: Path) -> Iterator[str]:
    """The rooms that a file imports from, also inside functions and for types alone."""
    for node in ast.walk(ast.parse(file.read_text())):
        modules: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            if module.startswith("launch."):
                yield module.split(".")[1]


def test_every_room_has_its_floor() -> None:
    assert {room_of(file) for file in FILES} - {"__init__"} == set(LEVELS)


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if room_of(file) != "__init__"],
    ids=lambda file: file.relative_to(LAUNCH).as_posix(),
)
def test_imports_only_go_down(file: Path) -> None:
    room = room_of(file)
    others = {each for each in imported_rooms(file) if each != room}
    assert [each for each in others if LEVELS[each] <= LEVELS[room]] == []


def test_no_file_name_occurs_twice() -> None:
    names = Counter(
        file.name for file in FILES if COMMANDS not in file.parents and file.name[:2] != "__"
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_a_command_is_found_under_its_own_name() -> None:
    from tests.cli.surface import all_commands

    names = {words.split()[0] for words in all_commands()} | {"version"}
    # A word of Python's own has a '_' at its end.
    stems = {file.stem.replace("import_", "import") for file in COMMANDS.glob("*.py")}
    assert stems == {"__init__", *names}


def prints(file: Path) -> list[int]:
    """Lines on which a file prints or asks, outside of a program's `main`."""
    body = ast.parse(file.read_text()).body
    parts = [node for node in body if getattr(node, "name", "") != "main"]
    nodes = (node for part in parts for node in ast.walk(part))
    calls = (node for node in nodes if isinstance(node, ast.Call))
    forbidden = ("print", "typer.echo", "typer.secho", "typer.confirm", "typer.prompt", "input")
    return [call.lineno for call in calls if ast.unparse(call.func) in forbidden]


def test_only_commands_print() -> None:
    above = [file for file in (LAUNCH / "cli").rglob("*.py") if COMMANDS not in file.parents]
    assert {file.name: lines for file in above if (lines := prints(file))} == {}
    assert any(prints(file) for file in COMMANDS.glob("*.py"))


def test_what_can_be_called_from_python_prints_nothing() -> None:
    quiet = [file for file in FILES if room_of(file) not in ("cli", "report", "supervisor")]
    assert {str(file): lines for file in quiet if (lines := prints(file))} == {}


def test_the_architecture_page_says_what_each_room_holds() -> None:
    page = (LAUNCH.parent / "docs" / "architecture.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `launch/")]
    rooms = {row.removeprefix("launch/").strip("/").removesuffix(".py") for row in rows}
    assert rooms == set(LEVELS)
