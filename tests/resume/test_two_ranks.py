"""Two ranks, each with a state of its own, for the kinds where ranks could be mixed up."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from tests.resume.compositions import own
from tests.resume.runs import assert_same, assert_same_end, make_run, newest, run

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


def _make(folder: Path, config: dict[str, Any]) -> RunDir:
    return make_run(folder, **config, world_size=2, callbacks=[own("own_model.Counting")])
