"""What the constructor of a class takes, read from its source: nothing is imported or executed."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launch.annotations import ANYTHING, Annotated, structure_of
from launch.sources import Missing, Module, bound_names, find_module, names_in
from pcm.config.names import did_you_mean

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
        types: what each that is annotated may be.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    is_open: bool
    types: Mapping[str, Annotated] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a signature could not be read."""

    reason: str
    hint: str | None = None

    def __str__(self) -> str:
        return self.reason if self.hint is None else f"{self.reason}; {self.hint}"


@dataclass(frozen=True, slots=True)
class NoModule(Unread):
    """Its module can't be imported from the folders that were looked in."""


@dataclass(frozen=True, slots=True)
class NoClass(Unread):
    """Its module is there, and has no such name."""


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
    module = find_module(module_name, folders)
    if isinstance(module, Missing):
        return False
    bases = [
        ast.unparse(base)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for base in node.bases
    ]
    return any(
        is_of_package(path_of(each, module_name, module), package, folders, left - 1)
        for each in bases or [name]
        if each != name or imported_from(name, module)
    )


def path_of(name: str, module_name: str, module: Module) -> str:
    """The full path of a class as a module names it."""
    first, dot, rest = name.partition(".")
    source = imported_from(first, module)
    return f"{module_name}.{name}" if source is None else f"{source}{dot}{rest}"


def _look_up(class_path: str, folders: Sequence[Path], left: int) -> Signature | Unread:
    module_name, _, name = class_path.rpartition(".")
    module = find_module(module_name, folders)
    if isinstance(module, Missing):
        kind = NoModule if module.is_certain else Unread
        return kind(module.reason, module.hint)
    return _look_inside(name, module, folders, left)


def _look_inside(
    name: str, module: Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    if left == 0:
        return Unread("it is imported or inherited from too far away")
    for node in reversed(module.tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(node, module, folders, left)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _of_function(node, module, bound=False)
    source = imported_from(name, module)
    if source is None:
        return _not_inside(name, module)
    return _look_up(source, folders, left - 1)


def _not_inside(name: str, module: Module) -> Unread:
    reason, names = f"{module.path} does not define it plainly", names_in(module)
    if names is None or name in names:
        return Unread(reason)
    return NoClass(reason, did_you_mean(name, names))


def _of_class(
    node: ast.ClassDef, module: Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    if node.decorator_list or node.keywords or "__new__" in methods:
        return Unread("its decorators or metaclass decide")
    if "__init__" in methods:
        return _of_function(methods["__init__"], module, bound=True)
    if not node.bases:
        return _NONE
    if len(node.bases) > 1:
        return Unread("it has no __init__ of its own, and not one parent")
    found = _of_parent(ast.unparse(node.bases[0]), module, folders, left)
    # A parent may be one of Python's own, which no module needs to define.
    return found if isinstance(found, Signature) else Unread(found.reason)


def _of_parent(
    parent: str, module: Module, folders: Sequence[Path], left: int
) -> Signature | Unread:
    first, _, rest = parent.partition(".")
    if not rest:
        return _look_inside(parent, module, folders, left - 1)
    source = imported_from(first, module)
    if source is None:
        return Unread(f"its parent {parent} is not imported plainly")
    return _look_up(f"{source}.{rest}", folders, left - 1)


_NONE = Signature((), (), is_open=False)


def _of_function(node: ast.FunctionDef, module: Module, *, bound: bool) -> Signature | Unread:
    if node.decorator_list:
        return Unread(f"{node.name} is decorated")
    takes = node.args
    places = [*takes.posonlyargs, *takes.args]
    defaults = [*[None] * (len(places) - len(takes.defaults)), *takes.defaults]
    pairs = list(zip(places, defaults, strict=True))[1 if bound else 0 :]
    pairs += zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
    return Signature(
        names=tuple(each.arg for each, _ in pairs),
        required=tuple(each.arg for each, default in pairs if default is None),
        is_open=takes.kwarg is not None,
        types=dict(_types(pairs, module)),
    )


def _types(
    pairs: Sequence[tuple[ast.arg, ast.expr | None]], module: Module
) -> Iterator[tuple[str, Annotated]]:
    names = frozenset(bound_names(module.tree))

    def resolve(name: str) -> str:
        first, dot, rest = name.partition(".")
        source = imported_from(first, module)
        if source is not None:
            return f"{source}{dot}{rest}"
        # Another module's names may be in the place of Python's.
        is_theirs = first in names or "import *" in module.text
        return f"{module.path}.{name}" if is_theirs else name

    for each, default in pairs:
        if each.annotation is not None:
            structure = structure_of(each.annotation, default, resolve)
            if structure is not ANYTHING:
                yield each.arg, structure


def imported_from(name: str, module: Module) -> str | None:
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


def _source(node: ast.ImportFrom, module: Module) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.package.split(".")
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *filter(None, [node.module])])
