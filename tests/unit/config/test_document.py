"""YAML files as data with lines; whatever is wrong is a ConfigError with file and line."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pcm.config import document
from pcm.config.document import MAX_BYTES, load_document, parse_document
from pcm.config.scalars import resolve_scalar
from pcm.errors import ConfigError, Fault


@pytest.fixture(params=["c", "python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers; many machines have only the Python one."""
    if request.param == "python":
        monkeypatch.setattr(document, "_LOADER", yaml.BaseLoader)


pytestmark = pytest.mark.usefixtures("_parser")


def data_of(text: str) -> Any:
    return parse_document(text, "f.yaml").data


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "f.yaml")
    assert all(fault.file == "f.yaml" for fault in caught.value.faults)
    return caught.value.faults


def fault_of(text: str) -> Fault:
    (fault,) = faults_of(text)
    return fault


def test_data_and_lines() -> None:
    read = parse_document("# head\na: 1e-3\nb:\n  - x\n  - {c: yes, d: '3'}\n", "f.yaml")
    assert read.data == {"a": 1e-3, "b": ["x", {"c": "yes", "d": "3"}]}
    assert read.lines == {
        (): 2,
        ("a",): 2,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 1): 5,
        ("b", 1, "c"): 5,
        ("b", 1, "d"): 5,
    }


def test_the_beginning_of_a_hash_is_no_number() -> None:
    assert "in quotes" in str(fault_of("commit: 695e0514\n"))
    assert data_of("a: .inf\nb: '695e0514'\n") == {"a": float("inf"), "b": "695e0514"}


def test_a_value_below_its_key_has_the_line_of_the_key() -> None:
    read = parse_document("a:\n\n  b: 1\nc: >\n  folded\n  text\nd: 1\n", "f.yaml")
    assert read.lines[("a",)] == 1
    assert read.lines[("c",)] == 4
    assert read.lines[("d",)] == 7


def test_lines_do_not_know_what_is_not_there() -> None:
    lines = parse_document("a: [1]", "f.yaml").lines
    assert ("a", 1) not in lines
    assert ("b", "c") not in lines
    assert ("a", 0, "x") not in lines
    assert len(lines) == 3


@pytest.mark.parametrize("text", ['a: "1"', "a: '1'", "a: !!str 1", "a: |-\n  1"])
def test_quoted_and_tagged_strings_stay_strings(text: str) -> None:
    assert data_of(text) == {"a": "1"}


def test_tags_of_the_core_schema_are_allowed_where_they_fit() -> None:
    text = "a: !!float 3\nb: !!int '3'\nc: !!map {d: !!seq [1]}\ne: !!bool true\nf: !!null ~\n"
    assert data_of(text) == {"a": 3, "b": 3, "c": {"d": [1]}, "e": True, "f": None}


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("a: 1\nb: !!python/object:os.system {}", "!!python/object:os.system"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']", "!!python/object/apply:os.system"),
        ("a: 1\nb: !!int three", "!!int"),
        ("a: 1\nb: !local x", "!local"),
        ("a: 1\nb: !!set {x, y}", "!!set"),
        ("a: 1\nb: !!map [1]", "!!map"),
    ],
)
def test_other_tags_are_refused(text: str, tag: str) -> None:
    fault = faults_of(text)[0]
    assert fault.problem == f"the tag {tag} is refused"
    assert fault.line == 2


def test_a_key_given_twice() -> None:
    first, second = faults_of("a: 1\nb: [0, {d: {c: 1, c: 2}}]\n\na: 3\n")
    assert (first.key, first.line, first.problem) == ("b.1.d.c", 2, "the key 'c' is given twice")
    assert (second.key, second.line) == ("a", 4)
    assert second.expected == "one of the two; the other is on line 1"


@pytest.mark.parametrize("key", ["1", "true", "null", "1.5", "[a]", "? {a: 1}"])
def test_keys_are_strings(key: str) -> None:
    fault = faults_of(f"x: 1\n{key}: 1\n" if "?" not in key else f"x: 1\n{key}\n: 1\n")[0]
    assert fault.problem == "a key must be a string"
    assert fault.line == 2


def test_quoted_keys_may_look_like_anything() -> None:
    assert data_of('"1": a\n"true": b\n"<<": c\n') == {"1": "a", "true": "b", "<<": "c"}


def test_aliases_are_copies_with_the_lines_of_the_anchor() -> None:
    read = parse_document("a: &x\n  b: [1]\nc: *x\n", "f.yaml")
    assert read.data == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert read.data["a"]["b"] is not read.data["c"]["b"]
    assert read.lines[("c",)] == 3
    assert read.lines[("c", "b")] == 2


def test_merge_keys() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  y: 3\n  <<: [*a, *b]\nd: {<<: *b}\n"
    read = data_of(text)
    assert read["c"] == {"y": 3, "x": 1, "z": 2}
    assert read["d"] == {"y": 2, "z": 2}


def test_only_mappings_can_be_merged() -> None:
    fault = fault_of("a: 1\nb:\n  <<: 3\n")
    assert fault.line == 3
    assert "merge mappings only" in fault.problem


def test_an_alias_without_an_anchor() -> None:
    fault = faults_of("a: 1\nb: *nowhere\n")[0]
    assert "*nowhere" in fault.problem
    assert fault.line == 2


def test_an_alias_of_what_holds_it() -> None:
    assert "no anchor before it" in faults_of("a: 1\nb: &b [*b]\n")[0].problem


def test_an_alias_bomb() -> None:
    levels = [
        f"{key}: &{key} [{', '.join([f'*{below}'] * 9)}]"
        for below, key in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    fault = fault_of("\n".join(["a: &a [x, x, x, x, x, x, x, x, x]", *levels]))
    assert "stand for too much" in fault.problem
    assert fault.line is not None


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_without_end(opening: str) -> None:
    fault = fault_of(opening * 3000)
    assert fault.problem == "nested too deep"
    assert fault.line == 1


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a:\n\tb: 1\n", 2, "spaces"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "spaces"),
        ("a: 1\nb: c: d\n", 2, "quote"),
        ('a: "open\n', 2, None),
        ("a: [1, 2\nb: 3\n", 2, None),
        ("a: 1\n  b: 2\n", 2, "quote"),
        ("a: }\n", 1, None),
        ("a: @x\n", 1, None),
        ("a: 1\nb: \x07\n", 2, None),
    ],
)
def test_syntax(text: str, line: int, hint: str | None) -> None:
    fault = fault_of(text)
    assert fault.problem.startswith("YAML syntax: ")
    # The two parsers differ by a line in where an unfinished thing was noticed.
    assert fault.line is not None
    assert abs(fault.line - line) <= (0 if hint else 1)
    assert hint is None or hint in (fault.hint or "")


def test_faults_before_a_syntax_error_are_told_too() -> None:
    problems = [fault.problem for fault in faults_of("a: 1\na: 2\nb: [\n")]
    assert problems[0] == "the key 'a' is given twice"
    assert problems[1].startswith("YAML syntax")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a remark\n", "---\n...\n"])
def test_nothing_in_the_file(text: str) -> None:
    if text.startswith("---"):
        assert data_of(text) is None
    else:
        assert fault_of(text).problem == "the file is empty"


def test_two_documents() -> None:
    fault = fault_of("a: 1\n---\nb: 2\n")
    assert (fault.problem, fault.line) == ("a second document", 2)


def test_too_many_digits() -> None:
    assert fault_of("a: 1\nb: " + "9" * 5000).line == 2


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert load_document(path).data == {"a": 1, "b": "x"}


def load_fault(path: Path | str) -> Fault:
    with pytest.raises(ConfigError) as caught:
        load_document(path)
    (fault,) = caught.value.faults
    assert fault.file == str(path)
    return fault


def test_the_name_is_as_the_user_gave_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "naïve 'folder' \"x\""
    folder.mkdir()
    (folder / "ä b.yaml").write_text("a: 1")
    monkeypatch.chdir(folder)
    assert load_document("ä b.yaml").name == "ä b.yaml"
    assert load_document(folder / "ä b.yaml").name == str(folder / "ä b.yaml")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "mnist-train.yaml").write_text("a: 1")
    fault = load_fault(tmp_path / "minst-train.yaml")
    assert fault.problem == "no such file"
    assert fault.hint == f"did you mean '{tmp_path / 'mnist-train.yaml'}'?"


def test_a_missing_folder(tmp_path: Path) -> None:
    fault = load_fault(tmp_path / "nowhere" / "a.yaml")
    assert (fault.problem, fault.hint) == ("no such file", None)


def test_a_folder(tmp_path: Path) -> None:
    assert load_fault(tmp_path).problem == "this is a folder"


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    assert "null byte" in load_fault(str(tmp_path / "a\0b")).problem
    (tmp_path / "file").touch()
    assert "cannot read the file" in load_fault(tmp_path / "file" / "a.yaml").problem


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)
    assert load_fault(tmp_path / "a.yaml").problem == "cannot read the file: Permission denied"


def test_a_file_past_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# " + "x" * MAX_BYTES)
    assert load_fault(path).problem == "the file is too long for a config"


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert load_fault("/dev/zero").problem == "the file is too long for a config"


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    fault = load_fault(path)
    assert (fault.problem, fault.line, fault.found) == (
        "the file is not UTF-8 text",
        2,
        "byte 0xff",
    )


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a: 1\n",))
    writer.start()
    assert load_document(pipe).data == {"a": 1}
    writer.join()


# PyYAML writes "0e0" without quotes: for YAML 1.1 it is a string, for 1.2 a number.
TEXTS = st.text(max_size=20).filter(lambda text: resolve_scalar(text) == text)
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXTS, inside, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60)
@given(JSON_LIKE.filter(lambda value: value is not None))
def test_what_pyyaml_writes_comes_back(value: Any) -> None:
    assert data_of(yaml.safe_dump(value)) == value


@settings(max_examples=100)
@given(st.text(alphabet="ab: -[]{}&*!|>'\"#\n\t,?%@`1.e<", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        parse_document(text, "f.yaml")
    except ConfigError as error:
        faults = error.faults
    assert all(fault.line is not None and fault.line >= 1 for fault in faults)
