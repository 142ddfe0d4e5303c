"""What validation passes, a rank can build: over many trainer files, most of them wrong."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightning.pytorch import LightningModule

from pcm.config.check import check_experiment
from pcm.config.inspection import Inspector
from pcm.config.structures.callbacks import CALLBACK_KWARGS
from pcm.config.structures.lightning_callbacks import NAME_OF_CLASS
from pcm.config.structures.trainer_kwargs import TRAINER_KWARGS
from pcm.run_dir import RunDir
from pcm.training.build import build_trainer
from pcm.training.checkpoint_io import CheckpointFiles
from pcm.training.devices import choose_device
from pcm.training.progress import Progress
from pcm.training.ranks import Ranks
from pcm.training.training_logger import TrainingLogger

DDP = "lightning.pytorch.strategies.DDPStrategy"
SHARDED = "lightning.pytorch.strategies.ModelParallelStrategy"


class Model(LightningModule):
    """Can be shared out to ranks."""

    def configure_model(self) -> None:
        pass


ANYTHING: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, -1, -2, 10**6, 0.0, 0.5, 1.0, 1.5, 3.0, -0.5, 64.0, 1e-3),
    *("ten", "1", "", "00:00:10:00", "01:99:99:99", "99999:00:00:00", "auto", "cpu", "min", "max"),
    *("norm", "value", "warn", "simple", "pytorch", "64", "bf16-mixed", "16-mixed", "ddp", "step"),
    *("epoch", "cos", "link", "val/loss", "ddp_spawn", "bf16-true", "none"),
    *({}, {"minutes": 5}, {"hours": -1}, {"years": 1}, {"0": 2}, {"1": 0}, {"a": 1}),
    *({"class_path": DDP}, {"class_path": DDP, "init_args": {"bucket_cap_mb": 1}}),
    *("fsdp2", "fsdp", {"class_path": SHARDED, "init_args": {"tensor_parallel_size": 1}}),
    *([], [1], [0.1], [0.1, 1], [0, 0], [0, 1], ["a"]),
)


def arguments(fields: Mapping[str, Any], most: int) -> st.SearchStrategy[dict[str, Any]]:
    """A few entries, most of them such as pass by themselves: what counts is the rest."""
    kinds = []
    for key, structure in fields.items():
        good = [each for each in ANYTHING if not Inspector().inspect(each, structure)]
        pools = [good] * 8 + [[*ANYTHING]] if good else [[*ANYTHING]]
        pool = st.sampled_from(pools).flatmap(st.sampled_from)
        kinds.append(st.tuples(st.just(key), pool))
    return st.lists(st.one_of(kinds), max_size=most).map(dict)


def fields_of(name: str) -> dict[str, Any]:
    structure: Any = CALLBACK_KWARGS[name]
    record = getattr(structure, "structure", structure)
    return {**record.required, **record.optional}


KWARGS = arguments({**TRAINER_KWARGS, **dict.fromkeys(["logger", "plugins", "maxepochs"], None)}, 5)
CALLBACK_ARGUMENTS = {name: arguments(fields_of(name), 4) for name in NAME_OF_CLASS.values()}
NEEDED = {"monitor": "val/loss", "swa_lrs": 0.1, "scheduling": {"0": 2}}


@st.composite
def callbacks(draw: st.DrawFn) -> dict[str, Any]:
    class_name, name = draw(st.sampled_from(sorted(NAME_OF_CLASS.items())))
    arguments = draw(CALLBACK_ARGUMENTS[name])
    if draw(st.integers(0, 9)):
        arguments = {key: NEEDED[key] for key in fields_of(name) if key in NEEDED} | arguments
    if name == "lr_monitor":
        return {"name": name, "cfg": {}, "kwargs": arguments}
    if draw(st.booleans()):
        return {"name": name, "kwargs": arguments}
    return {"class_path": f"lightning.pytorch.callbacks.{class_name}", "init_args": arguments}


trainers = st.fixed_dictionaries(
    {
        "callbacks": st.lists(callbacks(), max_size=3),
        "num_nodes": st.sampled_from([None, 1, 2]),
        "devices": st.sampled_from([None, 1, "auto", [0], [1], [0, 0]]),
        "accelerator": st.sampled_from([None, "auto", "cpu", "gpus"]),
        "kwargs": KWARGS,
    },
    optional={"after_fit": st.sampled_from([None, "test", "fit"])},
)

OWN = {"class_path": "my_pkg.Mine"}


@given(trainer=trainers)
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
def test_what_is_passed_can_be_built(trainer: dict[str, Any]) -> None:
    config: dict[str, Any] = {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": None,
        "world_size": 1,
    }
    config |= {"model": OWN, "data_train": OWN, "data_val": None, "trainer": trainer}
    if check_experiment(config):
        return
    device = choose_device(trainer, Ranks())
    with tempfile.TemporaryDirectory() as folder:
        files = CheckpointFiles(None, lambda: None, lambda _: None)
        logger = TrainingLogger(RunDir(Path(folder)), {"id": "1"}, 1, None, Progress())
        build_trainer(config, Ranks(), device, Model(), callbacks=[], files=files, logger=logger)
        logger.close()
