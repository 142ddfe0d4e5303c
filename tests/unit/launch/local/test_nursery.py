"""Which experiments it is of use to fork; that it is done is tested in `tests/local`."""

from pathlib import Path
from typing import Any

import pytest

from launch.local.nursery import SWITCH, is_of_use
from launch.store import Store
from tests.unit.launch.conftest import ExpandGrid

TWO: dict[str, Any] = {"grid": {"seed": [0, 1]}}
SCRIPT: dict[str, Any] = {**TWO, "base": None, "run": {"command": ["true"]}}


@pytest.mark.parametrize(
    ("grid", "environment", "is_forked"),
    [
        (TWO, {}, True),
        ({"grid": {"seed": [0]}}, {}, False),
        (TWO, {SWITCH: "0"}, False),
        (TWO, {"PCM_PYTHON": "/another/python"}, False),
        (SCRIPT, {}, False),
    ],
)
def test_several_that_train_with_what_is_here(
    expand_grid: ExpandGrid,
    tmp_path: Path,
    grid: dict[str, Any],
    environment: dict[str, str],
    is_forked: bool,
) -> None:
    store = Store(tmp_path / "runs")
    store.freeze(expand_grid(**grid))
    assert is_of_use(store.experiments(), environment) is is_forked
