"""Two ranks, each with a state of its own, for the kinds where ranks could be mixed up."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from tests.resume.compositions import own
from tests.resume.runs import assert_same, assert_same_end, make_run, newest, run, start

PARTS = {
    "automatic": ["averaged", "remembering", "balanced", "owngenerators", "measured", "frozen"],
    "by hand": ["exchanged", "recurrent", "sharedgenerators", "annealed"],
}
AUTOMATIC: dict[str, Any] = {
    "model": own(
        "own_mixes.Mixed",
        parts=PARTS["automatic"],
        optimizer="momentum",
        scheduler="plateau",
        skip=4,
    ),
    "data_train": own("own_mixes.MixedData", workers=1, persistent=True, own_generator=True),
    "kwargs": {"reload_dataloaders_every_n_epochs": 2, "val_check_interval": 2},
}
BY_HAND: dict[str, Any] = {
    "model": own("own_mixes.Mixed", parts=PARTS["by hand"], optimizer="two", scheduler="none"),
    "data_train": own("own_mixes.MixedData", source="shards", noisy=True, validations=2),
    "kwargs": {"max_epochs": 2},
}


@pytest.mark.parametrize(
    ("config", "stops"),
    # The first one's fifth batch ends each epoch, and is validated after no more.
    [(AUTOMATIC, ["step 3", "validation 9"]), (BY_HAND, ["validation 10"])],
    ids=list(PARTS),
)
def test_two_ranks_go_on_as_two(config: dict[str, Any], stops: list[str], tmp_path: Path) -> None:
    whole, broken = (_make(tmp_path / name, config) for name in ("whole", "broken"))
    assert run(whole, 2) == [ExitCode.DONE] * 2
    for stop in stops:
        assert run(broken, 2, OWN_STOP_AT=stop) == [ExitCode.STOPPED] * 2, stop
    assert run(broken, 2) == [ExitCode.DONE] * 2
    assert_same_end(whole, broken)
    assert_same(newest(whole)["callbacks"], newest(broken)["callbacks"], "callbacks")


def test_batches_that_no_rank_takes_are_skipped(tmp_path: Path) -> None:
    config = _skipping(holes=[8, 9], last=[3, 3])
    whole, broken = (_make(tmp_path / name, config) for name in ("whole", "broken"))
    assert run(whole, 2) == [ExitCode.DONE] * 2
    # Beside the batch that is None, and where the module has ended an epoch.
    for stop in ("step 1", "epoch 8"):
        assert run(broken, 2, OWN_STOP_AT=stop) == [ExitCode.STOPPED] * 2, stop
    assert run(broken, 2) == [ExitCode.DONE] * 2
    assert_same_end(whole, broken)
    assert_same(newest(whole)["callbacks"], newest(broken)["callbacks"], "callbacks")


@pytest.mark.parametrize(
    ("holes", "last", "said"),
    [
        ([8], [3, 3], "batch 1 of epoch 0 is skipped on rank 0, and for 6 s not on every other"),
        ([], [2, 3], "batch 2 of epoch 0 is skipped on rank 0, and others skip another one"),
    ],
    ids=["none", "-1"],
)
def test_a_batch_that_one_rank_skips_ends_training_in_words(
    holes: list[int], last: list[int], said: str, tmp_path: Path
) -> None:
    # With so many to a step, the second one's ranks wait for no gradients.
    several = {"kwargs": {"accumulate_grad_batches": 1 if holes else 5}}
    run_dir = _make(tmp_path / "run", _skipping(holes=holes, last=last) | several)
    attempt = start(run_dir, 2, PCM_COLLECTIVE_MINUTES="0.2")
    assert attempt.wait()[0] == ExitCode.EXPERIMENT_FAILED
    assert said in attempt.log()
    assert "Traceback" not in attempt.log()


def _skipping(*, holes: list[int], last: list[int]) -> dict[str, Any]:
    return {
        "model": own("own_kinds.SkippingOfRanks", batches=last),
        "data_train": own("own_loaders.HolesOfRanks", holes=holes),
    }


def _make(folder: Path, config: dict[str, Any]) -> RunDir:
    return make_run(folder, **config, world_size=2, callbacks=[own("own_model.Counting")])
