import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from launch.supervisor.memory import count_killed_companions
from pcm.errors import ExitCode
from pcm.plots import drawing_process as process_module
from pcm.plots import waiting
from pcm.plots.__main__ import main
from pcm.plots.drawing import Drawer, draw, follow
from pcm.plots.drawing_process import DrawingProcess
from pcm.plots.waiting import PlotData, keep, load, waiting_in
from pcm.run_dir import RunDir, write_json
from pcm.tracking import RunLogger
from pcm.tracking import logger as logger_module
from pcm.tracking.events import LineTail
from tests.unit.plots.test_nodes import SCATTER, function, leaf


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    folder = RunDir(tmp_path / "ein 'Lauf' 1")
    for number in (1, 2):
        folder.attempt(number).path.mkdir(parents=True)
    # What draws gives way to everything else on this machine.
    monkeypatch.setattr(logger_module, "_DRAWING_GRACE", 600.0)
    return folder


def plots(batch: dict[str, Tensor], step: int, *functions: Any, path: str = "val/ä b") -> PlotData:
    top = {"n_batches": 1, "plt_tree_cfg": [leaf(*(functions or (SCATTER,)))]}
    return PlotData(path, step, 1000.0 + step, "nproc_batch", top, batch)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_what_is_kept_is_what_is_loaded(run_dir: RunDir, batch: dict[str, Tensor]) -> None:
    kept = plots({**batch, "half": batch["angle"].bfloat16()}, 30)
    assert keep(run_dir.undrawn, kept) == 0
    loaded = load(*waiting_in(run_dir.undrawn))
    assert (loaded.log_path, loaded.step, loaded.time) == ("val/ä b", 30, 1030.0)
    assert loaded.top_node_cfg == kept.top_node_cfg
    assert kept.data.keys() == loaded.data.keys()
    assert all(torch.equal(value, loaded.data[name]) for name, value in kept.data.items())


def test_pictures_are_drawn_in_order_told_to_trackers_and_the_arrays_deleted(
    run_dir: RunDir, batch: dict[str, Tensor]
) -> None:
    for step in (100, 20):
        keep(run_dir.undrawn, plots(batch, step))
    draw(run_dir)
    events = list(LineTail(run_dir.pictures).read())
    assert [(each["step"], each["time"], each["key"]) for each in events] == [
        (20, 1020.0, "val/ä b/scatter"),
        (100, 1100.0, "val/ä b/scatter"),
    ]
    assert names(run_dir.plots) == sorted(each["file"] for each in events)
    assert waiting_in(run_dir.undrawn) == []


def test_names_that_are_longer_than_a_file_systems_are_drawn(
    run_dir: RunDir, batch: dict[str, Tensor]
) -> None:
    long = "語" * 100
    keep(run_dir.undrawn, plots(batch, 10**9, {**SCATTER, "filename_comp": long}, path=long))
    draw(run_dir)
    assert [Path(name).suffix for name in names(run_dir.plots)] == [".png"]
    assert [each["key"] for each in LineTail(run_dir.pictures).read()] == [f"{long}/{long}"]


def test_a_picture_is_the_same_whenever_it_is_drawn(
    run_dir: RunDir, batch: dict[str, Tensor]
) -> None:
    tree = {
        "node_name": "perform_tsne_node",
        "node_cfg": {"data_name": "latent", "kwargs": {"random_state": None}, **leaf(SCATTER)},
    }
    top = {"n_batches": 1, "plt_tree_cfg": [tree]}
    seen = set()
    for _ in range(2):
        keep(run_dir.undrawn, PlotData("val", 1, 0.0, "nproc_batch", top, batch))
        draw(run_dir)
        (picture,) = run_dir.plots.rglob("*.png")
        seen.add(picture.read_bytes())
    assert len(seen) == 1


def test_a_plot_that_fails_is_told_and_leaves_the_others_alone(
    run_dir: RunDir, batch: dict[str, Tensor]
) -> None:
    broken = function("pairplot", ["latent", "nothing"], "broken")
    keep(run_dir.undrawn, plots(batch, 1, broken, SCATTER))
    with pytest.warns(UserWarning, match="pairplot.*no 'nothing', but angle"):
        draw(run_dir)
    assert [Path(name).name for name in names(run_dir.plots)] == ["scatter-step=1.png"]
    assert waiting_in(run_dir.undrawn) == []


def test_what_is_damaged_is_told_and_leaves(
    run_dir: RunDir, batch: dict[str, Tensor], capfd: pytest.CaptureFixture[str]
) -> None:
    keep(run_dir.undrawn, plots(batch, 1))
    (path,) = waiting_in(run_dir.undrawn)
    path.write_bytes(path.read_bytes()[:1000])
    draw(run_dir)
    assert f"{path} can't be drawn" in capfd.readouterr().err
    assert waiting_in(run_dir.undrawn) == []


@contextmanager
def no_larger_files_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_the_arrays_wait_for_another_drawer(
    run_dir: RunDir, batch: dict[str, Tensor], capfd: pytest.CaptureFixture[str]
) -> None:
    keep(run_dir.undrawn, plots(batch, 1))
    drawer = Drawer(run_dir)
    with no_larger_files_than(1000):
        drawer.draw_all()
        drawer.draw_all()
    assert capfd.readouterr().err.count("can't be drawn for now") == 1
    assert names(run_dir.plots) == []
    draw(run_dir)
    assert len(names(run_dir.plots)) == 1


def test_the_oldest_of_each_tree_make_room(run_dir: RunDir, batch: dict[str, Tensor]) -> None:
    assert keep(run_dir.undrawn, plots(batch, 5, path="other")) == 0
    left = [keep(run_dir.undrawn, plots(batch, step)) for step in range(1, waiting.MOST + 3)]
    assert left == [0] * waiting.MOST + [1, 1]
    steps = [load(path).step for path in waiting_in(run_dir.undrawn)]
    assert sorted(steps) == sorted([*range(3, waiting.MOST + 3), 5])


def test_what_is_large_makes_all_but_the_newest_leave(
    run_dir: RunDir, batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ROOM", 1000)
    assert [keep(run_dir.undrawn, plots(batch, step)) for step in (1, 2)] == [0, 1]
    assert [load(path).step for path in waiting_in(run_dir.undrawn)] == [2]


def test_whoever_follows_draws_the_rest_when_training_has_ended(
    run_dir: RunDir, batch: dict[str, Tensor]
) -> None:
    ended = threading.Event()
    ended.set()
    keep(run_dir.undrawn, plots(batch, 1))
    follow(run_dir, ended)
    assert len(names(run_dir.plots)) == 1


def test_what_a_stop_leaves_is_named_and_drawn_by_the_next_attempt(
    run_dir: RunDir, batch: dict[str, Tensor], capfd: pytest.CaptureFixture[str]
) -> None:
    logger = RunLogger(run_dir, {"id": "a", "name": "b", "tracker": None}, 1, None)
    logger.draw_later(plots(batch, 1))
    write_json(run_dir.attempt(1).stop, {})
    logger.finalize("")
    assert "left to draw: val_ä_b" in capfd.readouterr().err
    assert names(run_dir.plots) == []
    broken = function("pairplot", ["latent", "nothing"], "broken")
    keep(run_dir.undrawn, plots(batch, 2, broken))
    logger = RunLogger(run_dir, {"id": "a", "name": "b", "tracker": None}, 2, 1)
    # Training is at its end before it comes to its own pictures.
    write_json(run_dir.attempt(2).finished, {})
    logger.finalize("")
    assert [Path(name).name for name in names(run_dir.plots)] == ["scatter-step=1.png"]
    error = capfd.readouterr().err
    assert "pcm: warning: no plot from" in error
    assert "left to draw" not in error


def test_a_process_that_dies_is_told_once(
    run_dir: RunDir, batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    process = DrawingProcess(run_dir)
    process.draw(plots(batch, 1))
    assert process._companion is not None
    assert process._companion._process is not None
    process._companion._process.wait()
    with pytest.warns(UserWarning, match="exit code 1; training goes on"):
        process.draw(plots(batch, 2))
    process.draw(plots(batch, 3))
    process.end(60.0, lambda: False)


def test_a_kill_is_noted_for_the_supervisor(
    run_dir: RunDir, batch: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    keep(run_dir.undrawn, plots(batch, 1))
    for count in (1, 2):
        with pytest.warns(UserWarning, match="exit code -9"):
            DrawingProcess(run_dir).end(60.0, lambda: False)
        assert count_killed_companions(run_dir.attempts()[-1]) == count
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    DrawingProcess(run_dir).end(60.0, lambda: True)  # and so killed by ourselves
    assert count_killed_companions(run_dir.attempts()[-1]) == 2
    assert count_killed_companions(run_dir.attempt(1)) == 0


def test_a_checkpoint_relies_on_no_arrays_in_flight(
    run_dir: RunDir, batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = threading.Event()

    def slow_keep(folder: Path, kept: PlotData) -> int:
        may_write.wait()
        return keep(folder, kept)

    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(process_module, "keep", slow_keep)
    logger = RunLogger(run_dir, {"id": "a", "name": "b", "tracker": None}, 1, None)
    logger.draw_later(plots(batch, 1))
    assert waiting_in(run_dir.undrawn) == []
    checkpoint = threading.Thread(target=logger.save)
    checkpoint.start()
    may_write.set()
    checkpoint.join()
    assert len(waiting_in(run_dir.undrawn)) == 1


def test_arrays_without_room_are_a_warning(
    run_dir: RunDir, batch: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    process = DrawingProcess(run_dir)

    def keep_all() -> None:
        process.draw(plots(batch, 1))
        process.sync()

    with no_larger_files_than(1000), pytest.warns(UserWarning, match="val/ä b: OSError"):
        keep_all()
    assert waiting_in(run_dir.undrawn) == []


def test_the_process_gives_way_to_training_and_has_no_lightning() -> None:
    code = (
        "import os, sys, pcm.plots.drawing, pcm.plots.__main__ as m; m._give_way();"
        "print(os.nice(0), open('/proc/self/oom_score_adj').read().strip(),"
        "'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "19 1000 False\n"
    assert os.nice(0) < 19


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "gone")]) == ExitCode.NOT_FOUND
    assert "gone" in capsys.readouterr().err
