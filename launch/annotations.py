"""What the annotation of an argument allows of a file, read from source: nothing is imported.

Only what can't be meant is refused: a word for a number, a list for one value. Of what isn't known,
such as a class or a name for a type, nothing is said.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pcm.config.names import did_you_mean
from pcm.config.structure import Finding, Findings, Inspector, Shape
from pcm.config.structures.own import names_own_class
from pcm.config.typed_values import SCALARS, fits
from pcm.config.wording import hint_for, shown, shown_with_kind

Resolve = Callable[[str], str]
"""The full path of a name as a module knows it; of Python's own the name itself."""

_BY_NAME = {kind.__name__: kind for kind in SCALARS}

_MODULES = ("typing.", "typing_extensions.", "collections.abc.")
_LISTS = ("list", "List", "tuple", "Tuple", "Sequence", "MutableSequence")
_MAPPINGS = ("dict", "Dict", "Mapping", "MutableMapping")

_NEVER_IN_FILES = ("torch.Tensor",)
"""Beside these the other members of a union are all that a file can give."""


@dataclass(frozen=True, eq=False)
class Annotated(Shape):
    """What an annotation allows; null and objects are always let through.

    Attributes:
        kinds: scalars.
        words: the only texts, where text isn't among the scalars.
        items: structure of a list's items; None for no list.
        pairs: structure of a mapping's values; None for no mapping.
        length: of a list; None for any.
    """

    text: str
    kinds: tuple[type, ...] = ()
    words: tuple[str, ...] = ()
    items: "Annotated | None" = None
    pairs: "Annotated | None" = None
    length: int | None = None

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if self is ANYTHING or value is None or names_own_class(value):
            return ()
        if isinstance(value, list):
            return list(self._look_at_list(value, inspector))
        if isinstance(value, dict):
            if self.pairs is None:
                return [self._refused(value)]
            return inspector.inspect_entries(value, dict.fromkeys(value, self.pairs))
        is_right = fits(value, self.kinds) or (isinstance(value, str) and value in self.words)
        return () if is_right else [self._refused(value)]

    def __str__(self) -> str:
        return self.text

    def _look_at_list(self, value: list[Any], inspector: Inspector) -> Iterator[Finding]:
        if self.items is None:
            yield self._refused(value)
            return
        if self.length not in (None, len(value)):
            yield Finding((), "wrong length", shown(value), str(self))
        for index, each in enumerate(value):
            yield from (found.under(index) for found in inspector.inspect(each, self.items))

    def _refused(self, value: Any) -> Finding:
        wanted: tuple[type, ...] = self.kinds
        wanted += (list,) if self.items else ()
        wanted += (dict,) if self.pairs else ()
        hints = [hint_for(value, kind) for kind in wanted]
        hints += [did_you_mean(value, self.words)] if isinstance(value, str) else []
        hint = next(filter(None, hints), None)
        return Finding((), "wrong type", shown_with_kind(value), str(self), hint)


ANYTHING = Annotated("anything")


def structure_of(annotation: ast.expr, default: ast.expr | None, resolve: Resolve) -> Annotated:
    """What a file may give to an argument.

    Args:
        default: of the argument, if it has one; where it doesn't fit, the annotation isn't meant.
    """
    structure = _named(annotation, resolve)
    try:
        value = None if default is None else _as_in_a_file(ast.literal_eval(default))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return structure
    return ANYTHING if Inspector().inspect(value, structure) else structure


def _named(annotation: ast.expr, resolve: Resolve) -> Annotated:
    """A structure that is called by the text of its annotation."""
    structure = _structure(annotation, resolve)
    has_any = structure.kinds or structure.words or structure.items or structure.pairs
    return replace(structure, text=_text(annotation)) if has_any else ANYTHING


def _structure(node: ast.expr, resolve: Resolve) -> Annotated:
    if isinstance(node, ast.Constant):
        return _of_constant(node.value, resolve)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right], resolve)
    return _of_name(_name_of(node, resolve), _arguments_of(node), resolve)


def _of_name(name: str, arguments: list[ast.expr], resolve: Resolve) -> Annotated:
    if name in _BY_NAME:
        return Annotated("", (_BY_NAME[name],))
    if name in ("Optional", "Union", "Annotated") and arguments:
        return _union(arguments[:1] if name == "Annotated" else arguments, resolve)
    if name == "Literal":
        return _words(arguments)
    if name in _LISTS:
        return _list(name, arguments, resolve)
    if name in _MAPPINGS:
        pairs = _named(arguments[1], resolve) if len(arguments) == 2 else ANYTHING
        return Annotated("", pairs=pairs)
    return ANYTHING


def _of_constant(value: object, resolve: Resolve) -> Annotated:
    """An annotation in quotes, or None."""
    if value is None:
        return Annotated("")
    try:
        parsed = ast.parse(value, mode="eval") if isinstance(value, str) else None
    except (SyntaxError, ValueError, RecursionError):
        return ANYTHING
    return ANYTHING if parsed is None else _structure(parsed.body, resolve)


def _union(members: Iterable[ast.expr], resolve: Resolve) -> Annotated:
    known = [each for each in members if resolve(_dotted(each)) not in _NEVER_IN_FILES]
    found = [_structure(each, resolve) for each in known]
    lists = [each for each in found if each.items is not None]
    mappings = [each for each in found if each.pairs is not None]
    if ANYTHING in found or len(lists) > 1 or len(mappings) > 1:
        return ANYTHING
    return Annotated(
        "",
        kinds=tuple(kind for each in found for kind in each.kinds),
        words=tuple(word for each in found for word in each.words),
        items=lists[0].items if lists else None,
        pairs=mappings[0].pairs if mappings else None,
        length=lists[0].length if lists else None,
    )


def _words(arguments: list[ast.expr]) -> Annotated:
    values = [each.value if isinstance(each, ast.Constant) else ... for each in arguments]
    words = tuple(value for value in values if isinstance(value, str))
    is_known = all(value is None or isinstance(value, str) for value in values)
    return Annotated("", words=words) if words and is_known else ANYTHING


def _list(name: str, arguments: list[ast.expr], resolve: Resolve) -> Annotated:
    items = [_named(each, resolve) for each in arguments if not _is_ellipsis(each)]
    is_tuple = name in ("tuple", "Tuple")
    length = len(items) if is_tuple and items and len(items) == len(arguments) else None
    plain = items[0] if len({each.text for each in items}) == 1 else ANYTHING
    return Annotated("", items=plain, length=length)


def _as_in_a_file(value: Any) -> Any:
    """Where a file would have a list."""
    return [_as_in_a_file(each) for each in value] if isinstance(value, tuple | list) else value


def _name_of(node: ast.expr, resolve: Resolve) -> str:
    """The name of a type that is known, without its module; empty for any other."""
    path = resolve(_dotted(node.value if isinstance(node, ast.Subscript) else node))
    name = path.rpartition(".")[2]
    return name if path == name or path.removesuffix(name) in _MODULES else ""


def _dotted(node: ast.expr) -> str:
    is_name = isinstance(node, ast.Name | ast.Attribute)
    return ast.unparse(node) if is_name else ""


def _arguments_of(node: ast.expr) -> list[ast.expr]:
    if not isinstance(node, ast.Subscript):
        return []
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _text(node: ast.expr) -> str:
    is_quoted = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_quoted else ast.unparse(node)  # type: ignore[attr-defined]
