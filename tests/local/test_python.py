"""pcm from Python: docs/python.md as it stands, and what its functions return and refuse."""

import re
from pathlib import Path

import pytest
import torch

from launch import api
from launch.plan import Action
from pcm.errors import ConfigError, NotFoundError
from pcm.training.checkpoints.loading_plain import load_plain

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"

GRID = f"""
name: small
base:
  model: {ROOT}/config/models/vae.yaml
  data_train: {ROOT}/config/data/mnist-plain-train.yaml
  data_val: {ROOT}/config/data/mnist-plain-test.yaml
set: {{subsample_size: 32, model.training.batch_size: 8, model.training.max_epochs: 1}}
grid: {{seed: [0, 1]}}
resources: {{tasks_per_node: 1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a grid of two small points, and a runs folder that is not there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PCM_RUNS_DIR", str(tmp_path / "my runs"))
    monkeypatch.delenv("PCM_PYTHON", raising=False)
    (tmp_path / "small.yaml").write_text(GRID)
    return tmp_path


def test_the_pages_first_example_trains_and_prints_a_row_a_point(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    exec(code[1], {})
    rows = capfd.readouterr().out.splitlines()
    assert len(rows) == 2
    assert all(re.search(r"^[0-9a-f]{10} done .* [0-9.]+$", row) for row in rows)
    # Again: there is nothing to do, and nobody waits for anything.
    again = api.launch("small.yaml", executor="local")
    assert again.launched.experiments == []
    assert api.resume("small").choice.free == []
    assert {line.state for line in api.status("small")} == {api.State.DONE}
    assert api.cancel("small") == []
    ids = [each.id for each in api.status("small")]
    assert {each.facts[0] for each in api.why("small").values()} == {("state", "done")}
    assert [each["id"] for each in api.show("small")] == ids
    assert [log.id for log in api.logs("small")] == ids
    assert [each.id for each in api.eff("small").taken] == ids
    assert "small" in api.report("small", output=folder / "page.html").read_text()
    (sent,) = api.sync(ids[0], to="tensorboard")
    assert sent.is_sent, sent.text
    assert capfd.readouterr() == ("", "")
    row = api.results("small")[0]
    model, saved = row.load("last"), load_plain(row.checkpoint("last"))
    assert not model.training
    assert all(torch.equal(saved["state_dict"][k], v) for k, v in model.state_dict().items())


def test_the_pages_table_names_every_function() -> None:
    cells = re.findall(r"^\| (`.*?`) \|", PAGE.read_text(), re.MULTILINE)
    listed = [name for cell in cells for name in re.findall(r"`(\w+)\(", cell)]
    functions = [name for name in api.__all__ if name[0].islower()]
    assert sorted(listed) == sorted(functions)


def test_a_plan_changes_nothing_and_knows_what_overrides_say(folder: Path) -> None:
    plan = api.plan(
        "small.yaml", overrides={"seed": 3}, resources={"gpus_per_node": 2, "time": "02:00:00"}
    )
    assert [item.action for item in plan.items] == [Action.START]
    assert plan.gpu_hours == 4
    assert not (folder / "my runs").exists()


def test_faults_are_errors_and_nothing_is_printed(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError):
        api.launch("small.yaml", executor="local", overrides={"model.training.max_epochs": "ten"})
    with pytest.raises(NotFoundError):
        api.status("nothing")
    with pytest.raises(ValueError, match="name sweeps"):
        api.cancel()
    with pytest.raises(ValueError, match="elsewhere"):
        api.launch("small.yaml", executor="elsewhere")
    assert api.status() == []
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_is_told_to_whoever_asks(folder: Path) -> None:
    damaged = folder / "my runs" / "sweeps" / "small" / "20260101-000000-000000-abcd"
    damaged.mkdir(parents=True)
    (damaged / "points.jsonl").write_text("garbage\n")
    told: list[str] = []
    assert api.status(tell=told.append) == []
    assert any(f"{damaged / 'points.jsonl'}:1" in line for line in told)
