"""One GPU: what a stop leaves, what is copied for a checkpoint, and a process that was forked."""

from pathlib import Path

import pytest
import torch

from launch.status.state import State
from pcm.errors import ExitCode
from pcm.internals.snapshot import Snapshots
from pcm.training.checkpoints.loading_plain import load_plain
from tests.gpu.needed import ACCELERATOR, draws_on_gpus, needs_gpus, trainer
from tests.resume.runs import assert_same_end, make_run, run
from tests.scripts import conftest
from tests.scripts.conftest import Folder

pytestmark = needs_gpus(1)

folder = conftest.folder


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_a_stop_changes_no_bit(tmp_path: Path, precision: str) -> None:
    config = {"trainer": trainer(precision=precision)}
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken) == [ExitCode.DONE]
    for place in ("step 4", "validation 10"):
        assert run(broken, OWN_STOP_AT=place) == [ExitCode.STOPPED]
    assert run(broken) == [ExitCode.DONE]
    assert_same_end(unbroken, broken)
    assert draws_on_gpus(broken)


def test_a_checkpoint_written_later_is_of_the_moment_it_was_taken(tmp_path: Path) -> None:
    weights = torch.arange(1000.0, device="cuda")
    snapshot = Snapshots(lambda: 1 << 20).take({"weights": weights})
    weights.zero_()
    torch.cuda.synchronize()
    assert snapshot is not None
    with (tmp_path / "weights.ckpt").open("wb") as stream:
        snapshot.write(stream)
    assert load_plain(tmp_path / "weights.ckpt")["weights"].tolist() == list(range(1000))


def test_a_forked_process_has_the_gpu(folder: Folder) -> None:
    folder.copy_example("own_classes")
    overrides = {"trainer__kwargs__max_epochs": 1, "trainer__accelerator": ACCELERATOR}
    [experiment] = folder.launch(**overrides, model__init_args__width=32, model__init_args__lr=1e-3)
    completion = conftest.run([experiment])
    assert completion.statuses[experiment.id].state is State.DONE
    [attempt] = experiment.run_dir.attempts()
    assert "training starts afresh" not in attempt.log(0).read_text()
    assert draws_on_gpus(experiment.run_dir)
