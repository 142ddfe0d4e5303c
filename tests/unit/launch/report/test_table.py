import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from launch.report.table import PIPE_WIDTH, Column, console, print_table, table, width

COLUMNS = (Column("id"), Column("experiment", fold=True), Column("loss", number=True))
ID = "0123456789"


def drawn(rows: Sequence[Sequence[str]], columns: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=columns, force_terminal=False).print(table(COLUMNS, rows))
    return stream.getvalue()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_table_fits_the_terminal_and_keeps_ids_whole(columns: int) -> None:
    text = drawn([(ID, "a very long name of an experiment " * 5, "0.1234")], columns)
    assert max(map(len, text.splitlines())) <= columns
    assert ID in text
    assert "0.1234" in text
    assert "…" not in text


def test_a_folded_name_is_there_to_its_last_letter() -> None:
    name = "".join(chr(ord("a") + index % 26) for index in range(100))
    text = drawn([(ID, name, "1")], 40)
    cells = [line[len(ID) :].split() for line in text.splitlines()[2:]]
    letters = "".join(cell[0] for cell in cells if cell)
    assert letters == name


@pytest.mark.parametrize("name", ["[bold]x[/bold]", "[/]", ":smile:", "ä 実験", r"back\slash"])
def test_a_name_is_not_markup(name: str) -> None:
    assert name in drawn([(ID, name, "1")], 80)


def test_a_table_without_rows_has_a_heading() -> None:
    assert "experiment" in drawn([], 80)


def test_the_width_is_that_of_the_widest_cells() -> None:
    rows = [(ID, "short", "1"), (ID, "a longer name", "0.1234")]
    assert width(COLUMNS, rows) == len(ID) + 2 + len("a longer name") + 2 + len("0.1234")
    longest = max(map(len, drawn(rows, 200).rstrip().splitlines()))
    assert longest == width(COLUMNS, rows)


def test_lines_in_a_pipe_are_never_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == PIPE_WIDTH
    console().print(table(COLUMNS, [(ID, "name " * 100, "1")]))
    rows = [line for line in capsys.readouterr().out.splitlines() if ID in line]
    assert len(rows) == 1
    assert rows[0].rstrip().endswith("1")


def test_a_width_that_was_asked_for_holds_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert console().width == 60


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, width=80).print(table(COLUMNS, [(ID, "x", "failed")]))
    assert "\x1b[31" not in stream.getvalue()
    assert "\x1b[1;31" not in stream.getvalue()


@pytest.mark.parametrize("columns", [30, 200])
def test_what_is_printed_is_what_rich_would_draw(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [(ID, "a longer name than there is room for", "0.1"), (ID, "実験 実験 実験", "failed")]
    print_table(table(COLUMNS, rows))
    assert capsys.readouterr().out == drawn(rows, columns)


@pytest.mark.parametrize(("name", "is_red"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_where_they_are_wanted(
    name: str, is_red: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "1")
    print_table(table(COLUMNS, [(ID, "x", "failed")]))
    assert ("\x1b[1;31mfailed\x1b[0m" in capsys.readouterr().out) is is_red
