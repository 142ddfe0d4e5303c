"""The rooms of `launch/` and `pcm/`: imports go down, names are unique, only commands print."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class House:
    """A package whose folders and files are its rooms, on floors from the roof down."""

    package: str
    floors: tuple[tuple[str, ...], ...]

    @cached_property
    def folder(self) -> Path:
        return ROOT.joinpath(*self.package.split("."))

    @cached_property
    def levels(self) -> dict[str, int]:
        return {room: level for level, rooms in enumerate(self.floors) for room in rooms}

    def files(self) -> list[Path]:
        return sorted(file for file in self.folder.rglob("*.py") if file != FORMER)

    def room_of(self, file: Path) -> str:
        return file.relative_to(self.folder).parts[0].removesuffix(".py")

    def imported_rooms(self, file: Path) -> Iterator[str]:
        """The rooms that a file imports from, also inside functions and for types alone."""
        for module in imported_modules(file):
            if module.startswith(f"{self.package}."):
                room = module.removeprefix(f"{self.package}.").split(".")[0]
                # A name that the package itself has is no room.
                if room in self.levels:
                    yield room


LAUNCH = ROOT / "launch"

FORMER = LAUNCH / "slurm" / "task.py"
"""Not a part of its room: payloads of jobs that version 0.1 submitted name it."""

HOST = House(
    "launch",
    (
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
            "annotations",
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
    ),
)

TRAINING_SIDE = House(
    "pcm",
    (
        ("__main__",),
        ("scripts", "training"),
        ("tracking",),
        ("plots",),
        ("chain", "data"),
        ("companion", "config", "internals", "nursery", "rank"),
        ("run_dir",),
        ("console", "errors", "lean_imports"),
        ("garbage_collection", "generators", "printable", "script", "secret_values"),
    ),
)

TRAINING = House(
    "pcm.training",
    (
        ("run",),
        ("finding",),
        ("loading", "session"),
        ("building",),
        ("checkpoints", "final_records", "rendezvous", "skipped_batches", "states"),
        ("testing",),
        (
            "agreement",
            "experiment_files",
            "faults",
            "length",
            "quiet",
            "timeouts",
            "training_logger",
            "want_of_data",
        ),
    ),
)

HOUSES = (HOST, TRAINING_SIDE, TRAINING)
"""docs/architecture.md says what each room holds."""

COMMANDS = LAUNCH / "cli" / "commands"


def imported_modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.package)
def test_every_room_has_its_floor(house: House) -> None:
    assert {house.room_of(file) for file in house.files()} - {"__init__"} == set(house.levels)


@pytest.mark.parametrize(
    ("house", "file"),
    [
        pytest.param(house, file, id=file.relative_to(ROOT).as_posix())
        for house in HOUSES
        for file in house.files()
        if house.room_of(file) != "__init__"
    ],
)
def test_imports_only_go_down(house: House, file: Path) -> None:
    room = house.room_of(file)
    others = {each for each in house.imported_rooms(file) if each != room}
    assert [each for each in others if house.levels[each] <= house.levels[room]] == []


@pytest.mark.parametrize("house", [HOST, TRAINING_SIDE], ids=lambda house: house.package)
def test_no_file_name_occurs_twice(house: House) -> None:
    files = [file for file in house.files() if COMMANDS not in file.parents]
    names = Counter(file.name for file in files if file.name[:2] != "__")
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
    quiet = [
        file for file in HOST.files() if HOST.room_of(file) not in ("cli", "report", "supervisor")
    ]
    assert {str(file): lines for file in quiet if (lines := prints(file))} == {}


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.package)
def test_the_architecture_page_says_what_each_room_holds(house: House) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    folder = house.package.replace(".", "/") + "/"
    inside = [row.removeprefix(folder) for row in rows if row.startswith(folder)]
    rooms = {row.strip("/").removesuffix(".py") for row in inside if "/" not in row.strip("/")}
    assert rooms - {""} == set(house.levels)
