"""Trackio's real client and its SQLite file, in an environment of its own.

It wants an older Pillow than training has here, so it can't be installed beside the others.
"""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import RefusedError
from pcm.run_dir import JournalWriter, RunDir
from pcm.tracking.events import EventWriter
from pcm.tracking.follow import follow, sync_run
from pcm.tracking.tracker import make_tracker, store_lock
from tests.unit.tracking.conftest import describe, write_look, write_rows
from tests.unit.tracking.test_neptune import PNG

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has Trackio, and what feeding needs besides."""
    folder = tmp_path_factory.mktemp("with-trackio")
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("no uv here to install trackio with")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    install = [str(uv), "pip", "install", "--quiet", "--python", str(python)]
    wanted = ["trackio>=0.43", "filelock", "pyyaml"]
    done = subprocess.run([*install, *wanted], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"trackio can't be installed here: {done.stderr.strip()[-300:]}")
    return python


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("TRACKIO_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "the store"
    monkeypatch.setenv("TRACKIO_DIR", str(folder))
    return folder


def run_python(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [python, *arguments], env=variables, capture_output=True, text=True, check=False
    )


def rows(store: Path, project: str) -> list[Any]:
    with sqlite3.connect(store / f"{project}.db") as connection:
        select = "SELECT run_id, run_name, step, timestamp, metrics FROM metrics ORDER BY id"
        return [(*row[:4], json.loads(row[4])) for row in connection.execute(select)]


def test_it_holds_every_step_once(tmp_path: Path, python: Path, store: Path) -> None:
    check = (
        "import sys, pathlib, json, collections, sqlite3, os\n"
        "from pcm.tracking.conformance import check_tracker\n"
        "def read(run_dir):\n"
        "    runs = collections.defaultdict(lambda: collections.defaultdict(list))\n"
        "    db = sqlite3.connect(os.environ['TRACKIO_DIR'] + '/a-sweep.db')\n"
        "    for run, step, row in db.execute('SELECT run_id, step, metrics FROM metrics'\n"
        "                                     ' ORDER BY id'):\n"
        "        for key in json.loads(row):\n"
        "            runs[run][key].append(step)\n"
        "    return list(runs.values())\n"
        "check_tracker('trackio', pathlib.Path(sys.argv[1]), read)\n"
    )
    done = run_python(python, "-c", check, str(tmp_path))
    assert done.returncode == 0, done.stderr
    run, name, _, time, _ = rows(store, "a-sweep")[0]
    assert (run, name, time) == ("c0ffee1234", "a run", "1970-01-01T00:16:41+00:00")
    with sqlite3.connect(store / "a-sweep.db") as connection:
        ((config,),) = connection.execute("SELECT config FROM configs")
    assert json.loads(config)["config/model/chain/0/name"] == "encoder"
    assert json.loads(config)["tags"] == ["one", "two"]
    assert json.loads(config)["_Group"] == "a-sweep"


def test_a_lost_record_or_store_is_made_up_for(run_dir: RunDir, python: Path, store: Path) -> None:
    describe(run_dir, {"name": "trackio", "project": "vaes"})
    write_rows(run_dir, 1, 5)
    write_look(run_dir, 1, 1000.0)
    picture = run_dir.plots / "val" / "pca-step=6.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(PNG)
    events = EventWriter(run_dir.events)
    events.figure("val/pca", 6, "val/pca-step=6.png")
    events.figure("val/gone", 6, "val/gone-step=6.png")
    events.text("step", 6, "step=6.ckpt")  # a name that Trackio has for itself
    events.close()
    # In one process, since the client takes two seconds to import.
    syncs = (
        "import sys, pathlib, os\n"
        "from pcm.run_dir import RunDir\n"
        "from pcm.tracking.follow import sync_run\n"
        "run_dir = RunDir(pathlib.Path(sys.argv[1]))\n"
        "print(sync_run(run_dir))\n"
        "run_dir.tracker.unlink()\n"
        "print(sync_run(run_dir))\n"
        "os.remove(os.environ['TRACKIO_DIR'] + '/vaes.db')\n"
        "print(sync_run(run_dir))\n"
    )
    done = run_python(python, "-c", syncs, str(run_dir.path))
    assert done.returncode == 0, done.stderr
    # The picture that is gone counts when it is taken from the journal, not when it is stored.
    assert done.stdout.split() == ["13", "1", "13"]
    stored = rows(store, "vaes")
    assert [step for _, _, step, _, metrics in stored if "train/loss" in metrics] == [1, 2, 3, 4, 5]
    assert [step for _, _, step, _, metrics in stored if "val/mse ä" in metrics] == [1, 2, 3, 4, 5]
    _, _, step, _, metrics = stored[-1]
    assert (step, metrics["__step"]) == (6, "step=6.ckpt")
    assert metrics["val/pca"]["_type"] == "trackio.image"
    assert (store / "media" / metrics["val/pca"]["file_path"]).read_bytes() == PNG
    assert "val/gone" not in metrics
    # Looks at the machine have a page of their own, and are there once.
    with sqlite3.connect(store / "vaes.db") as connection:
        select = "SELECT run_id, timestamp, metrics FROM system_metrics"
        ((run, when, look),) = connection.execute(select)
    assert (run, when) == ("c0ffee1234", "1970-01-01T00:16:40+00:00")
    assert json.loads(look) == {"system/rank_0_cores": 1.5, "system/rank_0_memory_mb": 2000.0}


def test_large_whole_numbers_and_very_many_series_are_taken(
    run_dir: RunDir, python: Path, store: Path
) -> None:
    describe(run_dir, {"name": "trackio", "project": "large"})
    run_dir.config.write_text(
        f"{{large: {2**63}, least: {-(2**70)}, most: {2**63 - 1}, is_it: true}}"
    )
    names = [f"val/metric_{index}" for index in range(1000)]
    journal = JournalWriter(run_dir.metrics, 1, None)
    for step in (1, 2):
        journal.append(step, 0, 1000.0 + step, dict.fromkeys(names, float(step)))
    journal.close()
    # Each look at the store goes through all that it has.
    syncs = (
        "import sys, pathlib\n"
        "from trackio.sqlite_storage import SQLiteStorage\n"
        "from pcm.run_dir import RunDir\n"
        "from pcm.tracking.follow import sync_run\n"
        "run_dir = RunDir(pathlib.Path(sys.argv[1]))\n"
        "print(sync_run(run_dir))\n"
        "run_dir.tracker.unlink()\n"
        "looks, connect = [], SQLiteStorage._get_connection\n"
        "SQLiteStorage._get_connection = lambda *a, **k: looks.append(a) or connect(*a, **k)\n"
        "print(sync_run(run_dir), len(looks) < 20)\n"
    )
    done = run_python(python, "-c", syncs, str(run_dir.path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2000", "0", "True"]
    with sqlite3.connect(store / "large.db") as connection:
        ((config,),) = connection.execute("SELECT config FROM configs")
    kept = {
        name: json.loads(config)[f"config/{name}"] for name in ("large", "least", "most", "is_it")
    }
    assert kept == {"large": str(2**63), "least": str(-(2**70)), "most": 2**63 - 1, "is_it": True}


def test_no_job_writes_to_its_store(run_dir: RunDir, store: Path) -> None:
    record = describe(run_dir, {"name": "trackio", "project": None})
    write_rows(run_dir, 1, 5)
    tracker = make_tracker(run_dir, record)
    assert tracker is not None
    assert store_lock(tracker) == store.with_name(".the store.pcm.lock")
    ended = threading.Event()
    ended.set()
    warnings: list[str] = []
    follow(run_dir, ended, warnings.append)
    assert len(warnings) == 1
    assert "one writer" in warnings[0]
    assert not store.exists()


def test_another_place_than_the_store_is_refused(
    run_dir: RunDir, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(run_dir, "trackio")
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    with pytest.raises(RefusedError, match="TRACKIO_SPACE_ID is set"):
        sync_run(run_dir)


def test_without_trackio_the_remedy_is_told(run_dir: RunDir, store: Path) -> None:
    describe(run_dir, "trackio")
    with pytest.raises(RefusedError, match="pcm-launch\\[trackio\\]"):
        sync_run(run_dir)
