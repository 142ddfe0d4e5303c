"""Two GPUs of one machine: gradients by NCCL, and weights in shards."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from tests.gpu.needed import draws_on_gpus, needs_gpus, trainer
from tests.resume.runs import assert_same_end, make_run, own, run

pytestmark = needs_gpus(2)

CONFIGS: dict[str, dict[str, Any]] = {
    "ddp": {"model": own("Manual"), "trainer": trainer(precision="bf16-mixed")},
    "fsdp2": {
        "model": own("Sharded"),
        "trainer": trainer(precision="bf16-mixed", strategy="fsdp2"),
    },
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_stop_changes_no_bit(tmp_path: Path, name: str) -> None:
    config = {"world_size": 2, "data_train": own("Data", size=64), **CONFIGS[name]}
    unbroken, broken = (make_run(tmp_path / folder, **config) for folder in ("a", "b"))
    assert run(unbroken, 2) == [ExitCode.DONE] * 2
    for place in ("step 3", "validation 8"):
        assert run(broken, 2, OWN_STOP_AT=place) == [ExitCode.STOPPED] * 2
    assert run(broken, 2) == [ExitCode.DONE] * 2
    assert_same_end(unbroken, broken)
    assert draws_on_gpus(broken)


def test_one_gpu_goes_on_from_the_shards_of_two(tmp_path: Path) -> None:
    config = {"world_size": 2, "data_train": own("Data", size=64), **CONFIGS["fsdp2"]}
    run_dir = make_run(tmp_path / "run", **config)
    assert run(run_dir, 2, OWN_STOP_AT="step 3") == [ExitCode.STOPPED] * 2
    assert run(run_dir) == [ExitCode.DONE]
    assert "its shards are shared out anew" in run_dir.attempt(2).log(0).read_text()
