"""What the constructor of a class takes, read from its source: nothing is imported or executed."""

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FARTHEST = 12
"""Modules that a name is followed through: what re-exports it, and the classes it inherits from."""

_WELL_KNOWN = ("lightning", "torch", "torchmetrics")
"""Packages in which nothing is looked for."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Arguments by name.

    Attributes:
        names: all that may be given.
        required: those without a default.
        is_open: whether any others are taken too.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a signature could not be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Module:
    """One source file.

    Attributes:
        package: the dotted path that its relative imports start from.
    """

    path: Path
    package: str
    tree: ast.Module


def import_folders() -> list[Path]:
    """Where training started from here would look for modules."""
    named = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return [Path.cwd(), *map(Path, [*named, *filter(None, sys.path)])]


def read_signature(class_path: str, folders: Sequence[Path]) -> Signature | Unread:
    """The signature of a class by its path."""
    return _look_up(class_path, folders, _FARTHEST)


def is_of_package(
    class_path: str, package: str, folders: Sequence[Path], left: int = _FARTHEST
) -> bool:
    """Whether a class, or one that it inherits from, is a package's, as far as sources tell."""
    top, _, _ = class_path.partition(".")
    module_name, _, name = class_path.rpartition(".")
    if top == package or top in _WELL_KNOWN or left == 0:
        return top == package
    module = _find_module(module_name, folders)
    if module is None:
        return False
    bases = [
        ast.unparse(base)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for base in node.bases
    ]
    return any(
        is_of_package(_path_of(each, module_name, module), package, folders, left - 1)
        for each in bases or [name]
        if each != name or _imported_from(name, module)
    )


def _path_of(name: str, module_name: str, module: _Module) -> str:
    """The full path of a class as a module names it."""
    first, dot, rest = name.partition(".")
    source = _imported_from(first, module)
    return f"{module_name}.{name}" if source is None else f"{source}{dot}{rest}"


def _look_up(class_path: str, folders: Sequence[Path], left: int) -> Signature | Unread:
    module_name, _, name = class_path.rpartition(".")
    module = _find_module(module_name, folders)
    if module is None:
        return Unread(f"no source of {module_name} is found here")
    return _look_inside(name, module, folders, left)


def _look_inside(
    name: str, module: _Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    if left == 0:
        return Unread("it is imported or inherited from too far away")
    for node in reversed(module.tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(node, module, folders, left)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _of_function(node, bound=False)
    source = _imported_from(name, module)
    if source is None:
        return Unread(f"{module.path} does not define it plainly")
    return _look_up(source, folders, left - 1)


def _of_class(
    node: ast.ClassDef, module: _Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    if node.decorator_list or node.keywords or "__new__" in methods:
        return Unread("its decorators or metaclass decide")
    if "__init__" in methods:
        return _of_function(methods["__init__"], bound=True)
    if not node.bases:
        return _NONE
    if len(node.bases) > 1:
        return Unread("it has no __init__ of its own, and not one parent")
    return _of_parent(ast.unparse(node.bases[0]), module, folders, left)


def _of_parent(
    parent: str, module: _Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    first, _, rest = parent.partition(".")
    if not rest:
        return _look_inside(parent, module, folders, left - 1)
    source = _imported_from(first, module)
    if source is None:
        return Unread(f"its parent {parent} is not imported plainly")
    return _look_up(f"{source}.{rest}", folders, left - 1)


_NONE = Signature((), (), is_open=False)


def _of_function(node: ast.FunctionDef, *, bound: bool) -> Signature | Unread:
    if node.decorator_list:
        return Unread(f"{node.name} is decorated")
    takes = node.args
    places = [*takes.posonlyargs, *takes.args][1 if bound else 0 :]
    without = len(places) - len(takes.defaults)
    keywords = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    required = [each.arg for each in places[: max(0, without)]]
    required += [each.arg for each, default in keywords if default is None]
    names = [each.arg for each in (*places, *takes.kwonlyargs)]
    return Signature(tuple(names), tuple(required), is_open=takes.kwarg is not None)


def _imported_from(name: str, module: _Module) -> str | None:
    """The full path of what a module knows as `name`; None if it doesn't import it plainly."""
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return ".".join(filter(None, [_source(node, module), alias.name]))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    return alias.name if alias.asname else name
    return None


def _source(node: ast.ImportFrom, module: _Module) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.package.split(".")
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *filter(None, [node.module])])


def _find_module(name: str, folders: Sequence[Path]) -> _Module | None:
    for path, package in _candidates(name, folders):
        try:
            return _Module(path, package, ast.parse(path.read_bytes()))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
    return None


def _candidates(name: str, folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    relative = Path(*name.split("."))
    for folder in folders:
        yield folder / relative / "__init__.py", name
        yield folder / relative.with_suffix(".py"), name.rpartition(".")[0]
