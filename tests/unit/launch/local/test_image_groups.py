"""Which experiments share a start of an image; that ranks are forked there is tested with one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launch.local import image_groups
from launch.local.image_groups import groups_inside
from launch.local.nursery import SWITCH
from launch.store import Experiment, Store
from tests.unit.launch.conftest import ExpandGrid


def launched(
    store: Store, expand_grid: ExpandGrid, seeds: list[int], image: str | None, **entries: Any
) -> list[Experiment]:
    """Of one launch, which trains in an image."""
    grid = expand_grid(grid={"seed": seeds}, **entries)
    container = None if image is None else {"image": image, "sha256": "0" * 64}
    launch = store.freeze(replace(grid, image=container))
    return [Experiment(launch, record) for record in launch.point_records()]


def groups(experiments: list[Experiment]) -> list[list[int]]:
    return [
        [each.record["seed"] for each in group] for group in groups_inside(experiments).values()
    ]


def test_each_image_is_started_for_all_launches_that_see_the_same_in_it(
    expand_grid: ExpandGrid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "runs")
    first = launched(store, expand_grid, [0], "/a.sif")
    again = launched(store, expand_grid, [1, 2], "/a.sif")
    other = launched(store, expand_grid, [3, 4], "/b.sif")
    loaded = launched(store, expand_grid, [5, 6, 7, 8], "/b.sif", preload=["json"])
    alone = launched(store, expand_grid, [9], "/c.sif")
    outside = launched(store, expand_grid, [10, 11], None)
    every = [*first, *other, *alone, *outside, *again, *loaded]
    assert groups(every) == [[5, 6, 7, 8], [0, 1, 2], [3, 4]]
    monkeypatch.setattr(image_groups, "MOST_IMAGES", 2)
    assert groups(every) == [[5, 6, 7, 8], [0, 1, 2]]
    assert groups([*first, *other[:1], *alone, *outside]) == []
    monkeypatch.setenv(SWITCH, "0")
    assert groups(every) == []
