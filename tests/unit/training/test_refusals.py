"""What validation passes, a rank can build: over many trainer files, most of them wrong."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from pcm.config.check import check_experiment
from pcm.config.inspection import Inspector
from pcm.config.structures.callbacks import CALLBACK_KWARGS
from pcm.config.structures.lightning_callbacks import NAME_OF_CLASS
from pcm.config.structures.trainer_kwargs import TRAINER_KWARGS, check_kwargs
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.run_dir import RunDir
from pcm.training.building.build import build_trainer
from pcm.training.building.devices import choose_device
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.training_logger import TrainingLogger

DDP = "lightning.pytorch.strategies.DDPStrategy"
SHARDED = "lightning.pytorch.strategies.ModelParallelStrategy"
DEEPSPEED = "lightning.pytorch.strategies.DeepSpeedStrategy"


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

STRATEGIES = (
    *("auto", "ddp", "fsdp2", "deepspeed", "deepspeed_stage_1", "deepspeed_stage_3", "fsdp"),
    {"class_path": DEEPSPEED, "init_args": {"stage": 1, "overlap_comm": True}},
    {"class_path": DEEPSPEED, "init_args": {"stage": 4}},
    {"class_path": DEEPSPEED, "init_args": {"offload_optimizer": True}},
    {"class_path": SHARDED, "init_args": {"tensor_parallel_size": 1, "data_parallel_size": 2}},
    {"class_path": DDP, "init_args": {"find_unused_parameters": True}},
)
PRECISIONS = (
    *(None, "32-true", "16-true", "16-mixed", "bf16-true", "bf16-mixed", "64-true", 16, 64),
)
DEVICES: tuple[Any, ...] = (None, 1, 2, "2", "auto", [0], [0, 1], [1, 0], "0,1", -1, 0, [])


@st.composite
def several_ranks(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Ways to share out a model, with what goes with them and what doesn't."""
    trainer: dict[str, Any] = draw(trainers)
    trainer["kwargs"] |= {
        "strategy": draw(st.sampled_from(STRATEGIES)),
        "precision": draw(st.sampled_from(PRECISIONS)),
    }
    trainer["devices"] = draw(st.sampled_from(DEVICES))
    return trainer, draw(st.integers(1, 2))


RARELY_SLOW: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@given(trainer=trainers)
@settings(max_examples=400, database=None, **RARELY_SLOW)
def test_what_is_passed_can_be_built(trainer: dict[str, Any]) -> None:
    build_what_is_passed(trainer, 1)


@given(asked=several_ranks())
@settings(max_examples=50, database=None, **RARELY_SLOW)
def test_what_is_passed_for_several_ranks_can_be_built(asked: tuple[dict[str, Any], int]) -> None:
    build_what_is_passed(*asked)


def build_what_is_passed(trainer: dict[str, Any], world_size: int) -> None:
    config: dict[str, Any] = {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": None,
        "world_size": world_size,
    }
    config |= {"model": OWN, "data_train": OWN, "data_val": None, "trainer": trainer}
    if check_experiment(config):
        return
    ranks = Ranks(0, world_size, 0, world_size)
    device = choose_device(trainer, ranks)
    with tempfile.TemporaryDirectory() as folder:
        files = CheckpointFiles(None, lambda: None, lambda _: None)
        logger = TrainingLogger(RunDir(Path(folder)), {"id": "1"}, 1, None, Progress())
        build_trainer(config, ranks, device, Model(), callbacks=[], files=files, logger=logger)
        logger.close()


LONG = {"val_check_interval": 3, "limit_train_batches": 2}


@pytest.mark.parametrize(
    ("kwargs", "ends"),
    [
        (LONG, True),
        ({"val_check_interval": 2, "overfit_batches": 1}, True),
        ({**LONG, "check_val_every_n_epoch": None}, False),
        ({**LONG, "limit_val_batches": 0}, False),
        ({**LONG, "limit_train_batches": 3}, False),
        ({**LONG, "limit_train_batches": 0}, False),
        ({**LONG, "limit_train_batches": 1.0}, False),
        ({**LONG, "val_check_interval": 1.0}, False),
        ({**LONG, "overfit_batches": 3}, False),
    ],
)
def test_an_interval_longer_than_an_epoch_is_refused_as_lightning_does(
    kwargs: dict[str, Any], ends: bool
) -> None:
    quiet: dict[str, Any] = dict.fromkeys(("logger", "enable_checkpointing"), False)
    quiet |= dict.fromkeys(("enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(max_epochs=1, accelerator="cpu", **quiet, **kwargs)
    caught = None
    try:
        trainer.fit(BoringModel())
    except ValueError as error:
        caught = error
    assert (caught is not None) is ends
    assert bool(list(check_kwargs(kwargs))) is ends
