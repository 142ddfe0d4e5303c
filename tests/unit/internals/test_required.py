"""The private names that training relies on: all are known, and looked for at the start."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from pcm.errors import PcmError
from pcm.internals.required import OPTIONAL, REQUIRED, SUPPORTED, check_internals

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "pcm" / "internals"
PRIVATE = re.compile(r"_[A-Za-z]\w*")
HARMLESS = {"_asdict", "_exit", "_replace"}
"""Documented in spite of their looks: of named tuples, and of `os`."""


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def own_names(file: Path) -> set[str]:
    """Private names that a module makes: its functions, methods, and attributes of `self`."""
    made = {node.name for node in nodes(file) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {
        node.attr
        for node in nodes(file)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    made |= {
        node.id
        for node in nodes(file)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return made


def foreign_names(file: Path) -> set[str]:
    """Private names that a module takes from objects or modules other than its own."""
    found: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Attribute):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {*str(node.module).split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.keyword) and node.arg is not None:
            found.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Names that are given to getattr, or are keys of what Lightning saves.
            found.add(node.value)
    return {name for name in found if PRIVATE.fullmatch(name)} - HARMLESS


def modules(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*.py")) if file.name != "required.py"]


def test_every_private_name_that_is_used_is_looked_for() -> None:
    used = {name for file in modules(FOLDER) for name in foreign_names(file) - own_names(file)}
    owners = {part for place in REQUIRED for part in re.split("[.:]", place)}
    known = {name for names in REQUIRED.values() for name in names} | owners | OPTIONAL
    assert {"_data_fetcher", "_first_loop_iter", "_pytree", "_ResultMetric"} <= used
    assert used <= known


def test_none_is_used_anywhere_else() -> None:
    own = {name for file in modules(ROOT / "pcm") for name in own_names(file)}
    elsewhere = [file for file in modules(ROOT / "pcm") if not file.is_relative_to(FOLDER)]
    for file in elsewhere:
        attributes = {
            node.attr
            for node in nodes(file)
            if isinstance(node, ast.Attribute) and PRIVATE.fullmatch(node.attr)
        }
        assert attributes - own - HARMLESS == set(), file
        imported = {
            part
            for node in nodes(file)
            if isinstance(node, ast.ImportFrom)
            for part in str(node.module).split(".")
        }
        assert not {part for part in imported if re.fullmatch("_[A-Za-z]+", part)}, file


def test_the_libraries_here_have_them_all() -> None:
    check_internals()


@pytest.mark.parametrize(
    ("place", "missing"),
    [
        ("lightning.pytorch.loops.fit_loop:_FitLoop", "_FitLoop._no_such_name"),
        ("lightning.pytorch.loops.gone:_FitLoop", "lightning.pytorch.loops.gone._FitLoop"),
        ("lightning.pytorch:_Gone", "lightning.pytorch._Gone"),
    ],
)
def test_one_that_is_missing_is_told_with_what_to_install(place: str, missing: str) -> None:
    with pytest.raises(PcmError) as error:
        check_internals({place: ("_no_such_name",)})
    told = str(error.value)
    assert f"lightning {version('lightning')} has no `{missing}`" in told
    assert "pip install 'lightning>=2.5,<2.7'" in told


def test_the_supported_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["optional-dependencies"]["train"]
    assert {f"{library}{versions}" for library, versions in SUPPORTED.items()} <= set(wanted)
