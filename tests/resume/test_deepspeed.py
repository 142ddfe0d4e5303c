"""DeepSpeed on CPUs: every rank writes its states, all of them count or none does."""

import importlib.util
from pathlib import Path

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from tests.resume.runs import assert_same, assert_same_end, make_run, newest, run

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="DeepSpeed is not installed: not run"
)

DONE, STOPPED = ExitCode.DONE, ExitCode.STOPPED


def make_shared(folder: Path, stage: int, precision: str, ranks: int) -> RunDir:
    """Two epochs, each of eight batches for a rank."""
    # On CPUs, a norm's buffers in full precision don't go with weights in half.
    model = "Normed" if precision == "32-true" else "Automatic"
    return make_run(
        folder,
        model={"class_path": f"own_deepspeed.{model}", "init_args": {}},
        data_train={"class_path": "own_model.Data", "init_args": {"size": 32 * ranks}},
        world_size=ranks,
        kwargs={
            "strategy": f"deepspeed_stage_{stage}",
            "precision": precision,
            "max_epochs": 2,
        },
    )


def assert_same_states(one: RunDir, other: RunDir) -> None:
    """As `assert_same_end`, with the buffers that each rank has for itself."""
    assert_same_end(one, other)
    ours, theirs = ([each["module"] for each in newest(d)["pcm"]["ranks"]] for d in (one, other))
    assert_same(ours, theirs, "module")


@pytest.mark.parametrize(
    ("stage", "precision", "ranks", "place"),
    [
        # One rank alone surely sees a request so late.
        (1, "bf16-mixed", 1, "validation 16"),
        (2, "32-true", 2, "validation 8"),
        (3, "32-true", 2, "step 3"),
    ],
)
def test_a_stop_changes_no_bit(
    tmp_path: Path, stage: int, precision: str, ranks: int, place: str
) -> None:
    names = ("whole [é]", "broken")
    whole, broken = (make_shared(tmp_path / name, stage, precision, ranks) for name in names)
    assert run(whole, ranks) == [DONE] * ranks
    assert run(broken, ranks, OWN_STOP_AT=place) == [STOPPED] * ranks
    assert run(broken, ranks) == [DONE] * ranks
    assert_same_states(whole, broken)
