"""FSDP2: every rank writes its shards, all of them count or none does, and any number goes on."""

import shutil
from pathlib import Path

import pytest
import torch

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoints import read_manifests
from pcm.run_dir.shards import shards_folder
from pcm.training.loading import load_model
from tests.resume.runs import OWN, assert_same, assert_same_end, make_run, newest, own, run, start

DONE, STOPPED = ExitCode.DONE, ExitCode.STOPPED


def make_sharded(folder: Path) -> RunDir:
    """Two epochs, each of eight batches for two ranks."""
    config = {"model": own("Sharded"), "data_train": own("Data", size=64), "world_size": 2}
    return make_run(folder, **config, kwargs={"strategy": "fsdp2", "max_epochs": 2})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Never interrupted."""
    run_dir = make_sharded(tmp_path_factory.mktemp("whole run's Ordner é") / "run")
    assert run(run_dir, 2) == [DONE] * 2
    return run_dir


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Inside its first epoch, with a checkpoint before that of the stop."""
    run_dir = make_sharded(tmp_path_factory.mktemp("stopped") / "run")
    options = {"OWN_STOP_AT": "step 3", "PCM_CHECKPOINT_MINUTES": "1e-9"}
    assert run(run_dir, 2, **options) == [STOPPED] * 2
    last, before = read_manifests(run_dir.checkpoints)
    assert (last.reason, before.reason) == ("stop", "interval")
    assert last.step < 8
    return run_dir


@pytest.fixture
def broken(stopped: RunDir, tmp_path: Path) -> RunDir:
    """The same, to go on from."""
    shutil.copytree(stopped.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


def files(run_dir: RunDir) -> list[str]:
    """Names of the checkpoints that count, the oldest first."""
    return [each.file for each in read_manifests(run_dir.checkpoints)][::-1]


def assert_same_shards(one: RunDir, other: RunDir) -> None:
    """As `assert_same_end`, with the buffers that each rank has for itself."""
    assert_same_end(one, other)
    ours, theirs = ([each["module"] for each in newest(d)["pcm"]["ranks"]] for d in (one, other))
    assert_same(ours, theirs, "module")
    means = [each["buffers"]["norm.running_mean"] for each in ours]
    assert not torch.equal(*means), "each rank has seen samples of its own"


def test_a_stop_anywhere_changes_no_bit(whole: RunDir, broken: RunDir) -> None:
    assert run(broken, 2, OWN_STOP_AT="validation 8") == [STOPPED] * 2
    assert run(broken, 2) == [DONE] * 2
    assert_same_shards(whole, broken)
    kept = {path.name for path in broken.checkpoints.iterdir()}
    names = [f"{name}{end}" for name in files(broken) for end in ("", ".json", ".shards")]
    assert kept == set(names), "what was pruned is gone with its shards"


def test_a_torn_shard_is_found_and_the_checkpoint_before_it_taken(
    whole: RunDir, broken: RunDir
) -> None:
    last = files(broken)[-1]
    torn = shards_folder(broken.checkpoints / last) / "__1_0.distcp"
    torn.write_bytes(torn.read_bytes()[:-1] + b"?")
    assert run(broken, 2) == [DONE] * 2
    log = broken.attempt(2).log(0).read_text()
    assert f"{last} is not whole: shard __1_0.distcp has changed" in log
    assert_same_shards(whole, broken)


def test_another_number_of_ranks_shares_the_shards_out_anew(broken: RunDir) -> None:
    step = read_manifests(broken.checkpoints)[0].step
    assert run(broken, 1) == [DONE]
    log = broken.attempt(2).log(0).read_text()
    assert "written by 2 ranks, and these are 1: its shards are shared out anew" in log
    assert "inside an epoch, which is begun again" in log
    # Sixteen batches an epoch for one rank.
    assert files(broken) == [f"epoch={n}-step={step + 16 * (n + 1)}.ckpt" for n in range(2)]


def test_a_rank_that_dies_while_it_saves_leaves_nothing_that_counts(broken: RunDir) -> None:
    before = files(broken)
    attempt = start(broken, 2, OWN_KILL_SAVING="8")
    assert attempt.wait() == [ExitCode.EXPERIMENT_FAILED, -9]
    assert files(broken) == before


def test_a_model_of_shards_is_loaded_as_a_whole(
    whole: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(OWN)
    model = load_model(whole, whole.checkpoints / files(whole)[-1])
    assert_same(dict(model.state_dict()), newest(whole)["state_dict"], "weights")
    assert model.get_submodule("net")(torch.ones(2, 4)).shape == (2, 4)
