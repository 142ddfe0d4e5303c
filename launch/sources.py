"""Where modules lie and which names they have: from their files, nothing is imported."""

import ast
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from pcm.config.names import did_you_mean

BY_ANOTHER_WAY = (
    *("import *", "__getattr__", "sys.modules", "globals(", "vars(", "locals(", "setattr("),
    *("exec(", "eval("),
)
"""Where a module's text has one of these, it may have names that nobody sees in it."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file.

    Attributes:
        package: the dotted path that its relative imports start from.
    """

    path: Path
    package: str
    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no source of a module.

    Attributes:
        is_certain: whether a Python that looks in these folders can't import it either.
        hint: what to try.
    """

    reason: str
    is_certain: bool
    hint: str | None = None


def import_folders() -> list[Path]:
    """Where training started from here would look for modules."""
    named = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return [Path.cwd(), *map(Path, [*named, *filter(None, sys.path)])]


def find_module(name: str, folders: Sequence[Path]) -> Module | Missing:
    """The source of a module by its dotted path."""
    for path, package in _candidates(name, folders):
        try:
            text = path.read_bytes()
            return Module(path, package, text.decode("utf-8", "replace"), ast.parse(text))
        except SyntaxError as error:
            shows = f"python -m py_compile {shlex.quote(str(path))} shows it"
            return Missing(f"{path}, line {error.lineno}: {error.msg}", is_certain=True, hint=shows)
        except (OSError, ValueError, RecursionError):
            continue
    hint = did_you_mean(name, _beside(name, folders))
    return Missing(f"no source of {name} is found here", not is_importable(name, folders), hint)


def names_in(module: Module) -> frozenset[str] | None:
    """All names that a module may have; None where its text doesn't tell."""
    if any(word in module.text for word in BY_ANOTHER_WAY):
        return None
    return frozenset(bound_names(module.tree))


def unfound_imports(module: Module, folders: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """What a module imports unconditionally and can't be found, with the line.

    Nothing is said of what comes after the first call: it may change where modules are found.
    """
    for node in takewhile(_calls_nothing, module.tree.body):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        yield from ((name, node.lineno) for name in names if not is_importable(name, folders))


def _calls_nothing(node: ast.stmt) -> bool:
    is_definition = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    return is_definition or not any(isinstance(each, ast.Call) for each in ast.walk(node))


def bound_names(tree: ast.Module) -> Iterator[str]:
    """What is bound anywhere in it, also inside of functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                yield node.id
        elif isinstance(name := getattr(node, "name", None), str):
            yield name


def _candidates(name: str, folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    relative = Path(*name.split("."))
    for folder in folders:
        yield folder / relative / "__init__.py", name
        yield folder / relative.with_suffix(".py"), name.rpartition(".")[0]


def is_importable(name: str, folders: Sequence[Path]) -> bool:
    """Whether Python would find a module, be it source or not; where it can't be told, it does."""
    top, *rest = name.split(".")
    try:
        # Packages that are being edited lie where only Python's own finders look.
        spec = PathFinder.find_spec(top, list(map(str, folders))) or find_spec(top)
        for part in rest:
            if spec is None or spec.submodule_search_locations is None:
                break
            spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    except (ImportError, ValueError):
        return True
    return spec is not None


def _beside(name: str, folders: Sequence[Path]) -> Iterator[str]:
    """Modules that lie where one of this name would."""
    *parents, _ = name.split(".")
    for folder in (each.joinpath(*parents) for each in folders):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.suffix == ".py" or (path / "__init__.py").exists():
                yield ".".join([*parents, path.stem])
