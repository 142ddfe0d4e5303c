"""Choosing rows and columns of results."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.results.columns import Columns, names_like
from launch.results.ordering import ordered
from launch.results.query import Query
from launch.results.rows import Result
from launch.results.where import parse_where
from launch.status.state import State
from pcm.errors import UsageError
from pcm.run_dir.summary import MetricSummary
from tests.unit.launch.results.samples import LR, SEED, SWEEP, metric, result


def chosen(expression: str) -> list[int]:
    return [int(row.id, 16) for row in Query(where=expression).choose(SWEEP)]


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("lr<5e-4", [3, 4]),
        ("lr=1e-3", [1, 2]),
        (f"{LR}>=0.001 and seed=1", [2]),
        ("state=done and not seed=0", [2]),
        ("state=failed or val/loss<0.31", [1, 4]),
        ("(state=failed or seed=0) and lr<1e-3", [3, 4]),
        ("val/loss:min<=0.1", [2]),
        ("hours>2.5", [3, 4]),
        ("attempts==4", [4]),
        ("name~NIST-3", [3]),
        ("name='mnist-2'", [2]),
        ("val/acc>0", [1]),
        ("val/acc!=7", [1]),
        ("NOT state=done", [4]),
    ],
)
def test_expressions(expression: str, rows: list[int]) -> None:
    assert chosen(expression) == rows


@pytest.mark.parametrize(
    "expression",
    ["", "lr", "lr<", "lr<1 and", "(lr<1", "lr<1)", "lr 1", "<1", "lr<1 seed=2", "and", "not"],
)
def test_what_is_no_expression_is_refused_with_an_example(expression: str) -> None:
    with pytest.raises(UsageError, match="lr<1e-3 and state=done"):
        chosen(expression)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        UsageError, match=r"no axis, metric or fact 'lrr'[\s\S]*did you mean 'lr'\?[\s\S]*val/loss"
    ):
        chosen("lrr<1")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("val/loss:med", "no ':med' of metric 'val/loss'"),
        ("val/loss@-3", "no '@-3' of metric 'val/loss'"),
        ("val/loss@", "no '@' of metric 'val/loss'"),
        ("val/lass:min", "no axis, metric or fact 'val/lass:min'"),
    ],
)
def test_what_no_metric_has_is_told_apart_from_no_metric(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=rf"^{told}[\s\S]*may end in :last, .*@STEP"):
        Columns(SWEEP).find(name)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        test = parse_where(text, Columns(SWEEP))
    except UsageError:
        return
    assert all(test(row) in (True, False) for row in SWEEP)


def test_numbers_that_another_tools_sweep_has_as_words_are_numbers() -> None:
    words = ["1e-2", "1e-3", "0.5"]
    rows = [
        replace(result(index, 0.0, 0), axes={LR: word}) for index, word in enumerate(words, start=1)
    ]
    columns = Columns(rows)
    assert [row.axes[LR] for row in ordered(rows, columns.find(LR).of)] == ["1e-3", "1e-2", "0.5"]
    assert [row.axes[LR] for row in rows if parse_where("lr<5e-2", columns)(row)] == words[:2]
    assert [row.axes[LR] for row in rows if parse_where("lr=1e-3", columns)(row)] == ["1e-3"]


def test_what_has_no_value_is_last_in_either_order() -> None:
    rows = [
        result(1, 1.0, 0, val_loss=metric(math.nan)),
        result(2, 1.0, 0, val_loss=metric(2.0)),
        result(3, 1.0, 0),
        result(4, 1.0, 0, val_loss=metric(1.0)),
    ]
    of = Columns(rows).find("val/loss").of
    assert [int(row.id) for row in ordered(rows, of)] == [4, 2, 1, 3]
    assert [int(row.id) for row in ordered(rows, of, descending=True)] == [2, 4, 1, 3]


def test_the_top_of_a_metric() -> None:
    query = Query(top=2, metrics=("val/loss:min",))
    assert [int(row.id) for row in query.choose(SWEEP)] == [2, 1]
    best = Query(top=1, sort="val/acc:max", reverse=True)
    assert [int(row.id) for row in best.choose(SWEEP)] == [1]


def test_columns_are_what_was_asked_for_by_their_short_names() -> None:
    named = Query(columns=("id", "lr"), metrics=("val/loss:min_step",)).named(SWEEP)
    assert named is not None
    assert [(each.name, each.path) for each in named] == [
        ("id", "id"),
        ("lr", LR),
        ("val/loss:min_step", "val/loss:min_step"),
    ]
    assert [each.of(SWEEP[0]) for each in named] == ["0000000001", 1e-3, 5]
    metrics = Query(metrics=("val/loss",)).named(SWEEP)
    assert metrics is not None
    assert [each.path for each in metrics] == ["id", "state", LR, SEED, "val/loss"]


def test_attempts_are_looked_at_only_where_they_matter() -> None:
    assert not Query(where="lr<1", sort="val/loss").needs_costs
    assert Query(where="hours<1").needs_costs
    assert Query(columns=("id", "gpu_hours")).needs_costs


def odd(index: int, value: Any, **metrics: MetricSummary) -> Result:
    made = result(index, 1e-3, 0, State.DONE, **metrics)
    return replace(made, axes={"run.params.kind": value})


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("kind=null", [1]),
        ("kind!=null", [2, 3, 4]),
        ("kind='null'", [4]),
        ("kind=true", [2]),
        ("kind>1", [3]),
        ("val/loss=nan", [1]),
        ("val/loss!=nan", [2]),
        ("val/loss=null", [3, 4]),
        ("val/loss<inf", [2]),
        ("val/loss=low", []),
        ("val/loss!=low", [1, 2]),
    ],
)
def test_what_is_no_plain_number_is_found_as_it_is_shown(expression: str, rows: list[int]) -> None:
    sweep = [
        odd(1, None, val_loss=metric(math.nan)),
        odd(2, True, val_loss=metric(0.5)),
        odd(3, 5),
        odd(4, "null"),
    ]
    found = Query(where=expression).choose(sweep)
    assert [int(row.id, 16) for row in found] == rows


@pytest.mark.parametrize("expression", ["val/loss<lr", "lr>=high", "state>5", "name<1e3"])
def test_a_number_and_a_text_have_no_order(expression: str) -> None:
    with pytest.raises(UsageError, match="numbers"):
        chosen(expression)


@pytest.mark.parametrize("expression", ["state=Done", "state!='nothing'"])
def test_a_state_that_there_is_none_of_is_refused(expression: str) -> None:
    with pytest.raises(UsageError, match="no state"):
        chosen(expression)


def test_an_axis_that_is_called_like_a_fact_has_another_name() -> None:
    columns = Columns([replace(SWEEP[0], axes={"run.params.name": "mine", "run.params.x": 1})])
    assert [axis.name for axis in columns.axes] == ["params.name", "x"]
    assert columns.find("params.name").of(SWEEP[0]) is None


def test_of_very_many_names_those_are_named_that_are_most_like_it() -> None:
    many = {f"val/metric_{index}": metric(1.0) for index in range(10_000)}
    row = replace(SWEEP[0], summaries=many, metrics=dict.fromkeys(many, 1.0))
    with pytest.raises(UsageError) as caught:
        Columns([row]).find("val/metrik_77")
    assert "val/metric_77," in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_of_a_few_too_many_names_all_that_there_is_room_for_are_named() -> None:
    known = [f"axis_{letter}" for letter in "abcdefghijklmnopq"]
    assert names_like("nope", known) == f"{', '.join(known[:16])} and 1 more"
    assert names_like("axis_q", known).startswith("axis_q, ")


def test_the_top_of_a_metric_of_which_more_is_better_are_its_greatest() -> None:
    assert [int(row.id) for row in Query(top=1, metrics=("val/loss:max",)).choose(SWEEP)] == [3]


def test_a_column_that_is_asked_for_twice_is_there_once() -> None:
    named = Query(columns=("id", "lr", LR, "id")).named(SWEEP)
    assert named is not None
    assert [each.path for each in named] == ["id", LR]
