"""What a page is made of: packed curves, safe data, the libraries, failures, pictures."""

import base64
import gzip
import hashlib
import json
import math
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from launch.report.page.configs import shared_and_own
from launch.report.page.failures import failure_groups
from launch.report.page.html import licences, manifest, script_safe
from launch.report.page.packing import LARGEST, MISSING, packed
from launch.report.page.pictures import pictures_of
from launch.results.curves import Curve
from launch.status.looking import lines_of
from tests.report.sweeps import fail, freeze

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


def numbers(text: str, size: int) -> list[int]:
    data = gzip.decompress(base64.b64decode(text))
    total = len(data) // size
    planes = [data[place * total : (place + 1) * total] for place in range(size)]
    return [int.from_bytes(each, "little") for each in zip(*planes, strict=True)]


def test_curves_are_differences_of_16_bits_within_their_own_range() -> None:
    record = packed([Curve([1, 3, 300], [0.0, 1.0, 0.5]), None, Curve([7], [5.0])])
    assert record["counts"] == [3, 0, 1]
    assert record["lows"] == [0.0, 0.0, 5.0]
    assert record["highs"] == [1.0, 0.0, 5.0]
    assert numbers(record["steps"], 4) == [1, 2, 297, 7]
    assert numbers(record["values"], 2) == [0, LARGEST, (LARGEST // 2 - LARGEST) % 65536, 0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_missing(value: float) -> None:
    record = packed([Curve([1, 2], [1.0, value])])
    assert numbers(record["values"], 2) == [0, MISSING]
    assert (record["lows"], record["highs"]) == ([1.0], [1.0])


def test_a_range_wider_than_a_double_is_drawn_flat_not_refused() -> None:
    record = packed([Curve([1, 2], [-1.7e308, 1.7e308])])
    assert len(numbers(record["values"], 2)) == 2


def test_data_in_a_script_stays_data() -> None:
    text = script_safe(json.dumps({"a": "</script><!-- & \u2028"}, ensure_ascii=False))
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == {"a": "</script><!-- & \u2028"}


def test_the_libraries_are_those_of_the_manifest() -> None:
    folder = files("launch.report.page") / "vendor"
    hashes = {name: sha for each in manifest()["packages"] for name, sha in each["files"].items()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(str(folder)).iterdir()
        if path.name != "manifest.json"
    }
    assert found == hashes
    assert all(each["version"] and each["licence"] for each in manifest()["packages"])
    assert "Apache License" in licences()


def test_configs_are_what_they_share_and_what_they_have_instead() -> None:
    configs: list[dict[str, Any]] = [
        {"a": {"b": 1}, "c": [1, 2]},
        {"a": {"b": 1}, "c": [1, 3]},
        {"a": {"b": "1"}, "d": 0},
    ]
    shared, own = shared_and_own(configs)
    assert shared == {"a.b": "1", "c": "[1, 2]", "d": "0"}
    assert own[1] == {"c": "[1, 3]", "d": None}
    assert own[2] == {"a.b": '"1"', "c": None}


def test_a_lists_items_are_called_as_in_a_grid_file() -> None:
    chain = [{"link_name": "prior", "cfg": {"size": 1}}, {"kind": "x"}]
    shared, _ = shared_and_own([{"model": {"chain": chain}}])
    assert shared == {
        "model.chain.prior.link_name": '"prior"',
        "model.chain.prior.cfg.size": "1",
        "model.chain.1.kind": '"x"',
    }


def test_failures_of_one_cause_are_one_and_the_first_is_told(tmp_path: Path) -> None:
    experiments = freeze(tmp_path, "bad", grid={"seed": [0, 1, 2, 3]})
    for seed, text in enumerate(["bad 1 at 0x7f", "bad 2 at 0x9a", "worse"]):
        fail(experiments[seed], text, f"Traceback {seed}")
    groups = failure_groups(experiments, lines_of(experiments))
    assert [(each["cause"], each["runs"], each["text"]) for each in groups] == [
        ("RuntimeError: bad 1 at 0x7f", [0, 1], "Traceback 0"),
        ("RuntimeError: worse", [2], "Traceback 2"),
    ]


def test_the_newest_picture_of_each_kind_is_shown_and_what_is_none_is_not(tmp_path: Path) -> None:
    [experiment] = freeze(tmp_path, "plots", seed=1)
    folder = experiment.create_run_dir().plots / "val" / "samples"
    assert pictures_of([experiment]) == {"kinds": {}, "left_out": 0}
    folder.mkdir(parents=True)
    contents = {"1.png": PNG, "2.png": PNG + b"2", "3.txt": PNG}
    for place, (name, data) in enumerate(contents.items()):
        (folder / name).write_bytes(data)
        os.utime(folder / name, (place, place))
    found = pictures_of([experiment])
    url = found["kinds"]["val/samples"][experiment.id]
    assert base64.b64decode(url.removeprefix("data:image/png;base64,")) == PNG + b"2"
