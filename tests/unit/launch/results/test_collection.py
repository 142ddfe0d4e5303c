"""Rows together: the best one, its checkpoint, tables of other libraries."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from launch import api
from launch.cli import app
from launch.results.collection import Results, columns_of, write_parquet
from launch.results.columns import Columns
from launch.results.rows import Result
from launch.status.state import State
from pcm.errors import NotFoundError, PcmError, UsageError
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoints import Manifest, write_manifest
from pcm.run_dir.summary import MetricSummary
from tests.report.sweeps import freeze, train


def row(index: int, least: float | None, greatest: float | None, **axes: Any) -> Result:
    summary = MetricSummary(1.0, 9, least, 1, greatest, 2)
    return Result(f"{index:010x}", f"r{index}", State.DONE, 9, {"acc": 1.0}, axes, {"acc": summary})


ROWS = Results([row(0, 0.1, 0.5, lr=1), row(1, 0.2, 0.9, lr=0.5), row(2, None, None, lr=None)])


def test_the_best_row_had_the_best_value_at_any_time() -> None:
    assert ROWS.best("acc", "max").id == "0000000001"
    assert ROWS.best("acc").id == "0000000000"


def test_what_makes_no_sense_says_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="no result has the metric 'los'") as caught:
        ROWS.best("los")
    assert "there is acc" in str(caught.value)
    with pytest.raises(UsageError, match="no mode 'largest'"):
        ROWS.best("acc", "largest")
    with pytest.raises(NotFoundError, match="none at all"):
        Results().best("acc")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_have_a_row_a_point_and_a_column_an_axis_and_a_metric(library: str) -> None:
    table = getattr(ROWS, library)()
    assert list(table.columns)[:5] == ["id", "name", "sweep", "state", "step"]
    assert list(table["id"]) == ["0000000000", "0000000001", "0000000002"]
    assert list(table["acc"]) == [1.0, 1.0, 1.0]
    assert list(table["lr"])[:2] == [1.0, 0.5]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_without_its_library_a_table_says_so(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=f"needs {library}, which is not installed here"):
        getattr(ROWS, library)()


def test_columns_are_of_one_type_each() -> None:
    mixed = Results([row(0, 1, 1, a=1, b="x", c=[1], d=True), row(1, 1, 1, a=2.5, b=3, c="y")])
    named = Columns(mixed).axes
    assert columns_of(mixed, named) == {
        "a": [1.0, 2.5],
        "b": ["x", "3"],
        "c": ["[1]", "y"],
        "d": [True, None],
    }


def test_parquet_is_read_back_as_it_was(tmp_path: Path) -> None:
    experiments = freeze(tmp_path, "two", grid={"seed": [0, 1]})
    train(experiments[0], 3, ("val/loss",))
    target = tmp_path / "two.parquet"
    words = ["results", "two", "--runs-dir", str(tmp_path / "runs"), "--format", "parquet"]
    result = CliRunner().invoke(app, [*words, "-o", str(target)])
    assert result.exit_code == 0, result.output
    table = pl.read_parquet(target)
    [first, second] = api.results("two", runs_dir=tmp_path / "runs")
    assert table["seed"].to_list() == [0, 1]
    assert table["val/loss"].to_list() == [first.metrics["val/loss"], None]
    assert second.metrics == {}
    for refused in ([], ["-o", str(target), "--group-by", "all"]):
        result = CliRunner().invoke(app, [*words, *refused])
        assert result.exit_code == UsageError("").exit_code
        assert "add -o FILE" in result.output


def test_without_a_library_parquet_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyarrow", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match="Parquet needs pyarrow or polars"):
        write_parquet({"a": [1]}, tmp_path / "x.parquet")


def save(folder: Path, step: int, **metrics: float) -> Path:
    path = folder / f"step={step}.ckpt"
    path.write_bytes(str(step).encode())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    size = path.stat().st_size
    write_manifest(folder, Manifest(path.name, sha256, size, step, 0, 1, 0.0, "epoch", metrics))
    return path


def test_a_row_knows_its_best_its_newest_and_any_checkpoint(tmp_path: Path) -> None:
    folder = RunDir(tmp_path).checkpoints
    folder.mkdir()
    found = replace(ROWS[0], run_dir=str(tmp_path))
    with pytest.raises(NotFoundError, match="no checkpoint 'last'"):
        found.checkpoint()
    newest = save(folder, 30)
    assert found.checkpoint() == newest
    best = save(folder, 10, **{"val/loss": 0.1})
    save(folder, 20, **{"val/loss": 0.2})
    assert found.checkpoint() == best
    assert found.checkpoint("last") == newest
    assert found.checkpoint("step=20").name == "step=20.ckpt"
    best.write_bytes(b"torn")
    with pytest.raises(PcmError, match="is not whole"):
        found.checkpoint()
