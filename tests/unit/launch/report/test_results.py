import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from launch.report.results import (
    results_csv,
    results_records,
    results_table,
    results_text,
    shown_metrics,
)
from launch.results.columns import Columns
from launch.results.format import Format
from launch.results.rows import Result, last_metrics
from launch.status.state import State
from pcm.run_dir import JournalWriter
from pcm.run_dir.summary import MetricSummary

LR, SEED = "model.optimizers.0.kwargs.lr", "seed"


def result(index: int, **metrics: float) -> Result:
    axes = {LR: 10.0**-index, SEED: index}
    return Result(f"{index:010x}", f"mnist-{index}", State.DONE, 100, metrics, axes)


def drawn(results: list[Result], columns: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=columns)
    console.print(results_table(results, columns)[0])
    return stream.getvalue()


def test_the_last_value_of_each_metric_counts(tmp_path: Path) -> None:
    journal = tmp_path / "metrics.jsonl"
    writer = JournalWriter(journal, attempt=1, resumed_from_step=None)
    writer.append(10, 0, 0.0, {"train/loss": 2.0, "val/loss": 3.0})
    writer.append(20, 1, 1.0, {"train/loss": 1.0})
    writer.close()
    assert last_metrics(journal) == (20, {"train/loss": 1.0, "val/loss": 3.0})


def test_an_experiment_that_never_started_has_no_metrics(tmp_path: Path) -> None:
    assert last_metrics(tmp_path / "metrics.jsonl") == (None, {})


def test_metrics_of_validation_are_shown_the_total_first() -> None:
    names = ["train/loss", "val/elbo", "val/loss", "val/reconstr-decoder"]
    assert shown_metrics(names) == ["val/loss", "val/elbo", "val/reconstr-decoder"]
    # In whichever order a journal had them.
    assert shown_metrics([*reversed(names), "val/acc"])[:3] == ["val/loss", "val/acc", "val/elbo"]


def test_without_validation_all_metrics_are_shown() -> None:
    assert shown_metrics(["train/loss"]) == ["train/loss"]


@pytest.mark.parametrize("columns", [60, 80, 120, 300])
def test_the_table_shows_as_many_metrics_as_fit(columns: int) -> None:
    metrics = {f"val/metric_{index}": 1.0 / (index + 3) for index in range(12)}
    text = drawn([result(index, **metrics) for index in range(3)], columns)
    assert max(map(len, text.splitlines())) <= columns
    assert all(f"{index:010x}" in text for index in range(3))
    assert ("val/metric_9" in text) == (columns == 300)


def test_very_many_axes_leave_ids_whole() -> None:
    axes = {f"model.axis_{index}": 0.123456 for index in range(30)}
    row = replace(result(1, **{"val/loss": 0.5}), axes=axes)
    text = drawn([row], 80)
    assert max(map(len, text.splitlines())) <= 80
    assert row.id in text
    assert "val/loss" in text


def test_axes_are_called_by_as_little_as_tells_them_apart() -> None:
    text = drawn([result(1)], 80)
    assert " lr " in text
    assert LR not in text


def test_the_csv_has_every_metric_and_exact_numbers() -> None:
    results = [result(1, loss=0.1 + 0.2), result(2, loss=1.0, extra=2.0)]
    rows = list(csv.DictReader(io.StringIO(results_csv(results))))
    assert float(rows[0]["loss"]) == 0.1 + 0.2
    assert rows[0]["extra"] == ""
    assert rows[1][LR] == "0.01"
    assert [row["seed"] for row in rows] == ["1", "2"]


def test_records_are_plain_data() -> None:
    [record] = json.loads(json.dumps(results_records([result(1, loss=0.5)])))
    assert record["axes"] == {LR: 0.1, SEED: 1}
    assert record["metrics"] == {"loss": 0.5}


def test_a_sweep_without_points_has_an_empty_table() -> None:
    assert "id" in drawn([], 80)
    assert results_csv([]).splitlines() == ["id,name,state,step"]


def test_rows_of_several_sweeps_say_which() -> None:
    rows = [replace(result(1, loss=1.0), sweep="one"), replace(result(2, loss=1.0), sweep="two")]
    assert drawn(rows, 80).split()[:3] == ["id", "sweep", "state"]
    assert "sweep" not in drawn(rows[:1], 80)


def test_values_are_shown_as_the_grid_file_has_them() -> None:
    values = [None, True, ["a", None], "wörter"]
    rows = [replace(result(1), axes={"x": value}) for value in values]
    rows.append(replace(result(1), axes={}))
    cells = [line.split("done")[1].strip() for line in drawn(rows, 80).splitlines()[2:]]
    assert cells == ["null", "true", '["a", null]', "wörter", ""]


def test_wide_signs_are_counted_as_wide() -> None:
    row = result(1, **{"val/loss": 1.0, "val/b": 2.0})
    [*_, line] = drawn([replace(row, axes={"x": "深" * 12, "y": 1})], 60).splitlines()
    assert "深" * 12 in line  # in 24 columns, so that there is room for one metric only
    assert cell_len(line) <= 60


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (
            Format.MARKDOWN,
            [
                r"| x | a\|b\_% |",
                "| --- | ---: |",
                r"| \[1\] \<b\> \$\&\*\| | 1 |",
            ],
        ),
        (
            Format.LATEX,
            [
                r"\begin{tabular}{lr}",
                r"\toprule",
                r"x & a\textbar{}b\_\% \\",
                r"\midrule",
                r"{[}1] \textless{}b\textgreater{} \$\&{*}\textbar{} & 1 \\",
            ],
        ),
    ],
)
def test_nothing_of_a_title_or_a_cell_is_markup(form: Format, lines: list[str]) -> None:
    summaries = {"a|b_%": MetricSummary(1.0, 1, 1.0, 1, 1.0, 1)}
    row = result(1, **{"a|b_%": 1.0})
    rows = [replace(row, axes={"x": "[1] <b> $&*|"}, summaries=summaries)]
    named = [Columns(rows).find(name) for name in ("x", "a|b_%")]
    assert results_text(rows, form, named).splitlines()[: len(lines)] == lines
