"""What annotations allow, against jsonargparse, which a LightningCLI asks."""

import collections.abc
import copy
import typing
from pathlib import Path
from typing import Any

import pytest
from jsonargparse import ArgumentParser
from torch import Tensor

from launch.arguments import Arguments
from pcm.config.structure import Finding

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -3, 2.0, 2.5, "10", "1e-3", "ten", "no", "true", "a", "b", ""),
    *([], [1], [1, 2], [1.5, 2], ["a", "b"], ["1", "2"], [[1]], [1, "ten"], [1, 2, 3]),
    *({}, {"a": 1}, {"a": "ten"}, {"a": [1]}),
)

ANNOTATIONS = (
    *("int", "float", "bool", "str", "int | None", "Optional[float]", "typing.Union[int, str]"),
    *("Literal['a', 'b']", "Literal['a', 'b'] | None", "int | Literal['a']", "'int'"),
    *("list[int]", "List[float]", "tuple[int, int]", "tuple[float, ...]", "Sequence[str]"),
    *("dict[str, int]", "dict", "list", "list[int] | None", "float | list[float]"),
    *("Mapping[str, float]", "abc.Sequence[int]", "tuple[int, str]", "list[list[int]]", "Any"),
)

MODULE = """
import typing
from collections import abc
from collections.abc import Mapping, Sequence
from typing import Any, List, Literal, Optional
from torch import Tensor

class Model:
    def __init__(self, x: {annotation} = {default}):
        self.x = x
"""


def looked_at(folder: Path, annotation: str, value: Any, default: str = "None") -> list[Finding]:
    (folder / "typed.py").write_text(MODULE.format(annotation=annotation, default=default))
    cfg = {"class_path": "typed.Model", "init_args": {"x": value}}
    return list(Arguments([folder]).findings(cfg))


def is_taken_by_jsonargparse(annotation: str, value: Any) -> bool:
    names = {**vars(typing), "typing": typing, "abc": collections.abc, "Tensor": Tensor}
    kind = eval(annotation, names)
    kind = eval(kind, names) if isinstance(kind, str) else kind
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--x", type=kind)
    try:
        parser.parse_object({"x": copy.deepcopy(value)})
    except Exception:
        return False
    return True


@pytest.mark.parametrize("annotation", ANNOTATIONS)
def test_what_a_lightning_cli_takes_is_taken(tmp_path: Path, annotation: str) -> None:
    taken = [value for value in VALUES if is_taken_by_jsonargparse(annotation, value)]
    assert taken
    for value in taken:
        assert not looked_at(tmp_path, annotation, value), value


@pytest.mark.parametrize(
    ("annotation", "value", "place", "said"),
    [
        ("int", "ten", "", "wrong type"),
        ("int", 2.5, "", "wrong type"),
        ("float", "ten", "", "wrong type"),
        ("float | Tensor", [1], "", "wrong type"),
        ("bool", "maybe", "", "wrong type"),
        ("str", ["a"], "", "wrong type"),
        ("Literal['a', 'b']", "c", "", "wrong type"),
        ("list[int]", 3, "", "wrong type"),
        ("Optional[List[int]]", [1, "ten"], "1", "wrong type"),
        ("Sequence[str]", "ab", "", "wrong type"),
        ("tuple[float, float]", [1], "", "wrong length"),
        ("dict[str, int]", {"a": "ten"}, "a", "wrong type"),
        ("Mapping[str, Any]", [1], "", "wrong type"),
        ("'int | None'", {}, "", "wrong type"),
    ],
)
def test_what_cannot_be_meant(
    tmp_path: Path, annotation: str, value: Any, place: str, said: str
) -> None:
    assert not is_taken_by_jsonargparse(annotation, value)
    (found,) = looked_at(tmp_path, annotation, value)
    assert ".".join(map(str, found.keys)) == f"init_args.x{place and '.'}{place}"
    assert found.problem == said
    assert str(found.expected).endswith("as typed.Model annotates it")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        # Python takes one for the other.
        *(("int", True), ("float", True), ("bool", 1), ("str", 3), ("int", 1e3)),
        # An object is made of it, by whatever makes one.
        *(("int", {"class_path": "my_pkg.number"}), ("list[int]", [{"class_path": "a.B"}])),
        # Nobody knows what that is.
        *(("Any", [1]), ("Size", "ten"), ("list[Size]", ["ten"]), ("int | Size", "ten")),
        *(("typing.Iterable[int]", "ten"), ("Literal[1, 2]", 3), ("dict[str, Size]", {"a": "b"})),
        *(("None", 1), ("'int |'", "ten"), ("list[int] | tuple[str, str]", ["a"])),
    ],
)
def test_what_may_be_meant(tmp_path: Path, annotation: str, value: Any) -> None:
    assert not looked_at(tmp_path, annotation, value)


def test_an_annotation_that_its_default_does_not_fit_is_not_meant(tmp_path: Path) -> None:
    assert looked_at(tmp_path, "float", [0.9, 0.99], "0.9")
    assert not looked_at(tmp_path, "float", [0.9, 0.99], "(0.9, 0.999)")
    assert looked_at(tmp_path, "tuple[int, int]", [1], "(1, 2)")
    assert looked_at(tmp_path, "int", "ten", "2 ** 8")


@pytest.mark.parametrize(
    "line", ["from my_pkg import int", "class int: ...", "from my_pkg import *"]
)
def test_a_name_of_the_modules_own_is_not_pythons(tmp_path: Path, line: str) -> None:
    (tmp_path / "own_int.py").write_text(f"{line}\nclass A:\n    def __init__(self, x: int): ...\n")
    cfg = {"class_path": "own_int.A", "init_args": {"x": "ten"}}
    assert list(Arguments([tmp_path]).findings(cfg)) == []


def test_a_slip_of_the_pen_has_its_answer(tmp_path: Path) -> None:
    (found,) = looked_at(tmp_path, "Literal['relu', 'tanh']", "rleu")
    assert found.hint == "did you mean 'relu'?"
