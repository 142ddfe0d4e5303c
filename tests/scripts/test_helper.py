"""`pcm/script.py` as one file, copied to where pcm is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pcm.run_dir.checkpoints import find_fault, read_manifests
from tests.scripts.conftest import ROOT

USE = """\
import script as run, sys
assert not any(name.partition(".")[0] in ("pcm", "torch") for name in sys.modules)
run.log(3, {"loss": 1}, epoch=1, total=9)
if run.run_dir:
    file = run.run_dir / "new"
    for text in "ab":
        file.write_text(text)
        kept = run.save(file)
    assert not file.exists() and run.checkpoint() == kept
    target, link = file.with_name("target"), file.with_name("link")
    target.write_text("b")
    link.symlink_to("target")
    assert run.save(link).read_text() == target.read_text()
print(run.params, run.seed, run.should_stop())
run.finish({"acc": 0.5})
"""


def use(folder: Path, code: Path | str = USE, **variables: Path | str) -> str:
    shutil.copy(ROOT / "pcm" / "script.py", folder)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=environment | {name: str(value) for name, value in variables.items()},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Path | str]:
    (tmp_path / "params.json").write_text('{"lr": 0.1}')
    return {
        "PCM_CONFIG": tmp_path / "params.json",
        "PCM_RUN_DIR": tmp_path,
        "PCM_METRICS": tmp_path / "metrics.jsonl",
        "PCM_STOP_FILE": tmp_path / "stop.json",
        "PCM_STOP_SIGNAL": "USR1",
        "PCM_SEED": "5",
    }


def test_by_hand_it_keeps_nothing(tmp_path: Path) -> None:
    assert use(tmp_path) == "{} 0 False\n"
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".py"] == []


def test_its_records_are_those_that_pcm_reads(
    tmp_path: Path, variables: dict[str, Path | str]
) -> None:
    (tmp_path / "stop.json").write_text("{}")
    assert use(tmp_path, **variables) == "{'lr': 0.1} 5 True\n"
    lines = list(map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines()))
    assert [(line.get("loss"), line.get("acc"), line.get("pcm")) for line in lines] == [
        (1.0, None, None),
        (None, None, "stopping"),
        (None, 0.5, None),
        (None, None, "finished"),
    ]
    [manifest] = read_manifests(tmp_path / "checkpoints")
    assert (manifest.file, manifest.step, manifest.epoch) == ("step=3.ckpt", 3, 1)
    assert find_fault(tmp_path / "checkpoints", manifest) is None


def test_no_epoch_is_told_that_the_script_does_not_name(
    tmp_path: Path, variables: dict[str, Path | str]
) -> None:
    code = "import script as run; run.log(1, {'a': 1}); run.log(2, {}, epoch=0); run.log(3, {})"
    use(tmp_path, code, **variables)
    lines = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert [line.get("epoch") for line in lines] == [None, 0, 0]


def test_other_ranks_write_nothing(tmp_path: Path, variables: dict[str, Path | str]) -> None:
    use_text = {**variables, "RANK": "1"}
    with pytest.raises(AssertionError, match="AssertionError"):
        # Nothing was moved, nor is there a checkpoint.
        use(tmp_path, **use_text)
    assert not (tmp_path / "metrics.jsonl").exists()
    assert not (tmp_path / "checkpoints").exists()


def test_what_nobody_could_read_back_is_refused(
    tmp_path: Path, variables: dict[str, Path | str]
) -> None:
    code = """if True:
        import pathlib, script as run
        for wrong in (
            lambda: run.log(1, {"loss": 1, "time": 2}),
            lambda: run.finish({"epoch": 2}),
            lambda: run.save(pathlib.Path("script.py"), step=-1),
        ):
            try:
                wrong()
            except ValueError as error:
                print(error)
    """
    time, epoch, step = use(tmp_path, code, **variables).splitlines()
    assert time == "call the metric 'time' otherwise, e.g. 'train/time'"
    assert "'epoch'" in epoch
    assert "-1" in step
    assert not (tmp_path / "metrics.jsonl").exists()
    assert (tmp_path / "script.py").exists()
