"""DeepSpeed on CPUs: every rank writes its states, all of them count or none does."""

import importlib.util
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoints import read_manifests
from pcm.run_dir.shards import shards_folder
from pcm.training.loading import load_model
from tests.resume.runs import OWN, assert_same, assert_same_end, make_run, newest, run, start

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="DeepSpeed is not installed: not run"
)

DONE, STOPPED = ExitCode.DONE, ExitCode.STOPPED

KINDS = {1: ("bf16-mixed", 1), 2: ("32-true", 2), 3: ("32-true", 2)}
"""The precision and the number of ranks that each stage is tried with."""


def make_shared(folder: Path, stage: int) -> RunDir:
    """Two epochs, each of eight batches for a rank."""
    precision, ranks = KINDS[stage]
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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], RunDir]:
    """Never interrupted; the same one whoever asks."""

    @cache
    def of(stage: int) -> RunDir:
        run_dir = make_shared(tmp_path_factory.mktemp("whole [é]") / "run", stage)
        ranks = KINDS[stage][1]
        assert run(run_dir, ranks) == [DONE] * ranks
        return run_dir

    return of


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Stage 3 inside its first epoch, with a checkpoint before that of the stop."""
    run_dir = make_shared(tmp_path_factory.mktemp("stopped") / "run", 3)
    options = {"OWN_STOP_AT": "step 3", "PCM_CHECKPOINT_MINUTES": "1e-9"}
    assert run(run_dir, 2, **options) == [STOPPED] * 2
    last, before = read_manifests(run_dir.checkpoints)
    assert (last.reason, before.reason) == ("stop", "interval")
    return run_dir


@pytest.fixture
def broken(stopped: RunDir, tmp_path: Path) -> RunDir:
    """The same, to go on from."""
    shutil.copytree(stopped.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


# One rank alone surely sees a request so late.
@pytest.mark.parametrize(("stage", "place"), [(1, "validation 16"), (2, "validation 8")])
def test_a_stop_changes_no_bit(
    whole: Callable[[int], RunDir], tmp_path: Path, stage: int, place: str
) -> None:
    broken, ranks = make_shared(tmp_path / "broken", stage), KINDS[stage][1]
    assert run(broken, ranks, OWN_STOP_AT=place) == [STOPPED] * ranks
    assert run(broken, ranks) == [DONE] * ranks
    assert_same_states(whole(stage), broken)


def test_a_death_while_saving_and_a_torn_shard_change_no_bit(
    whole: Callable[[int], RunDir], broken: RunDir
) -> None:
    saved = read_manifests(broken.checkpoints)
    assert start(broken, 2, OWN_KILL_SAVING="8").wait() == [ExitCode.EXPERIMENT_FAILED, -9]
    assert read_manifests(broken.checkpoints) == saved
    [_, torn] = sorted(shards_folder(broken.checkpoints / saved[0].file).glob("*_optim_states.pt"))
    torn.write_bytes(torn.read_bytes()[:-1] + b"?")
    assert run(broken, 2) == [DONE] * 2
    log = broken.attempt(3).log(0).read_text()
    assert f"{saved[0].file} is not whole: shard {torn.name} has changed" in log
    assert_same_states(whole(3), broken)


def test_a_stop_at_a_step_changes_no_bit(whole: Callable[[int], RunDir], broken: RunDir) -> None:
    assert run(broken, 2) == [DONE] * 2
    assert_same_states(whole(3), broken)


def test_another_number_of_ranks_is_refused_in_words(broken: RunDir) -> None:
    attempt = start(broken, 1)
    assert attempt.wait() == [ExitCode.EXPERIMENT_FAILED]
    assert "written by 2 ranks, and these are 1" in attempt.log()
    assert "resume with as many ranks" in attempt.log()
    assert "Traceback" not in attempt.log()


@pytest.mark.parametrize("stage", KINDS)
def test_a_model_is_loaded_as_a_whole(
    whole: Callable[[int], RunDir], monkeypatch: pytest.MonkeyPatch, stage: int
) -> None:
    monkeypatch.syspath_prepend(OWN)
    run_dir = whole(stage)
    checkpoint = run_dir.checkpoints / read_manifests(run_dir.checkpoints)[0].file
    model = load_model(run_dir, checkpoint)
    loaded, saved = model.state_dict(), newest(run_dir)["state_dict"]
    assert_same({name: loaded[name] for name in sorted(loaded)}, dict(sorted(saved.items())), "")
    assert model.get_submodule("net")(torch.ones(2, 4)).shape == (2, 4)
    if stage < 3:
        # Here every rank has all that it trains with, beside its part in full precision.
        from pcm.training.checkpoints.deepspeed_states import read_state

        [file] = shards_folder(checkpoint).glob("mp_rank_*_model_states.pt")
        for name, trained in read_state(file)["module"].items():
            assert torch.equal(loaded[name].to(trained.dtype), trained), name
