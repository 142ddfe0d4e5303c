from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only

from pcm.errors import ConfigError, RefusedError
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.run_dir import RunDir
from pcm.training.building.build import build_data, build_model, build_trainer
from pcm.training.building.devices import choose_device
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.training_logger import TrainingLogger

STRATEGIES = "lightning.pytorch.strategies"
DDP = f"{STRATEGIES}.DDPStrategy"
SHARDED = f"{STRATEGIES}.ModelParallelStrategy"
DEEPSPEED = f"{STRATEGIES}.DeepSpeedStrategy"

ONE = Ranks()
TWO = Ranks(1, 2, 1, 2)


@pytest.fixture(autouse=True)
def _first_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy for several ranks sets the rank for the whole process."""
    monkeypatch.setattr(rank_zero_only, "rank", 0)


class Model(LightningModule):
    def __init__(self, width: int = 1) -> None:
        super().__init__()
        self.width = width


def sharded(**options: Any) -> dict[str, Any]:
    return {"class_path": SHARDED, "init_args": {"tensor_parallel_size": 1, **options}}


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def trainer(
    tmp_path: Path,
    training: Any = None,
    *,
    ranks: Ranks = ONE,
    device: str = "cpu",
    **kwargs: Any,
) -> Trainer:
    cfg = {"callbacks": kwargs.pop("callbacks", []), "kwargs": kwargs}
    config = {"trainer": cfg, "model": {"training": training or {}}}
    logger = TrainingLogger(RunDir(tmp_path), {"id": "1"}, 1, None, Progress())
    files = CheckpointFiles(None, lambda: None, lambda _: None)
    place = torch.device(device)
    return build_trainer(config, ranks, place, Model(), callbacks=[], files=files, logger=logger)


def test_a_gpu_for_every_rank_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    assert choose_device({"accelerator": "auto"}, TWO) == torch.device("cuda", 1)
    assert choose_device({"accelerator": None}, TWO) == torch.device("cuda", 1)
    assert choose_device({"accelerator": "cpu"}, TWO) == torch.device("cpu")
    gpus(monkeypatch, 1)
    assert choose_device({"accelerator": "auto"}, TWO) == torch.device("cpu")


def test_gpus_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 8)
    cfg = {"accelerator": "gpu", "devices": [6, 4]}
    assert choose_device(cfg, TWO) == torch.device("cuda", 4)
    assert choose_device({"accelerator": "gpu", "devices": 2}, TWO) == torch.device("cuda", 1)


@pytest.mark.parametrize("visible", ["0", "3", "GPU-5ad6dbd0"])
def test_a_rank_that_sees_its_own_gpu_alone_takes_it(
    monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    gpus(monkeypatch, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setenv("PCM_GPUS_ASKED", "2")
    for accelerator in ("auto", None, "gpu"):
        assert choose_device({"accelerator": accelerator}, TWO) == torch.device("cuda", 0)
    assert choose_device({"accelerator": "gpu", "devices": [6, 4]}, TWO).index == 0
    assert choose_device({"accelerator": "cpu"}, TWO) == torch.device("cpu")


@pytest.mark.parametrize("asked", ["", "0", "1"])
def test_ranks_do_not_share_the_one_gpu_of_a_workstation(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    gpus(monkeypatch, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("PCM_GPUS_ASKED", asked)
    if asked == "1":
        with pytest.raises(RefusedError, match="1 asked for, 1 seen"):
            choose_device({}, TWO)
    else:
        assert choose_device({}, TWO) == torch.device("cpu")


def test_several_visible_gpus_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert choose_device({"accelerator": "gpu"}, TWO) == torch.device("cuda", 1)
    gpus(monkeypatch, 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert choose_device({}, TWO) == torch.device("cpu")


@pytest.mark.parametrize("strategy", ["auto", "ddp_find_unused_parameters_true"])
def test_lightning_finds_a_ranks_own_gpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, strategy: str
) -> None:
    gpus(monkeypatch, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("PCM_GPUS_ASKED", "2")
    built = trainer(tmp_path, ranks=TWO, device="cuda:0", strategy=strategy)
    assert built.strategy.root_device == torch.device("cuda", 0)
    assert (built.world_size, built.global_rank, built.local_rank) == (2, 1, 1)
    assert built.num_devices == 2


def test_insisting_on_gpus_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 1)
    with pytest.raises(ConfigError, match="2 ranks on this node need GPUs, and 1 are visible"):
        choose_device({"accelerator": "gpu"}, TWO)


def test_quiet_by_default_and_the_users_wish_wins(tmp_path: Path) -> None:
    assert trainer(tmp_path).num_sanity_val_steps == 0
    assert trainer(tmp_path).progress_bar_callback is None
    assert trainer(tmp_path, num_sanity_val_steps=3).num_sanity_val_steps == 3
    assert trainer(tmp_path, enable_progress_bar=True).progress_bar_callback is not None
    assert trainer(tmp_path).checkpoint_callbacks == []


def test_length_comes_from_the_model_file(tmp_path: Path) -> None:
    training = {"batch_size": 4, "max_epochs": 5, "check_val_every_n_epoch": None}
    built = trainer(tmp_path, training, max_epochs=5, log_every_n_steps=7)
    assert (built.max_epochs, built.check_val_every_n_epoch) == (5, 1)
    assert built.log_every_n_steps == 7  # type: ignore[attr-defined]


def test_two_different_lengths_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is 6, and model\.training\.max_epochs is 5"):
        trainer(tmp_path, {"max_epochs": 5}, max_epochs=6)


@pytest.mark.parametrize("name", ["logger", "enable_checkpointing", "default_root_dir"])
def test_what_has_no_effect_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    kwargs: dict[str, Any] = {name: "anything"}
    trainer(tmp_path, **kwargs)
    assert f"trainer.kwargs.{name} has no effect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"callbacks_": []}, "takes no 'callbacks_'"),
        ({"plugins": []}, "not allowed here"),
        ({"barebones": False}, "not allowed here"),
        ({"max_epochs": "ten"}, "fits no alternative"),
        ({"strategy": "ddp_spawn"}, "is not supported"),
        ({"strategy": {"ddp": 1}}, "is not supported"),
        ({"strategy": {"class_path": DDP, "init_args": {"static_graph": True}}}, "static_graph"),
        ({"strategy": {"class_path": f"{DDP}x"}}, "is not supported"),
        ({"strategy": "deepspeed_stage_3_offload"}, "is not supported: what DeepSpeed moves"),
        ({"strategy": {"class_path": DEEPSPEED, "init_args": {"stage": 4}}}, "out of range"),
        ({"strategy": {"class_path": DEEPSPEED, "init_args": {"config": {}}}}, "unknown key"),
        ({"strategy": "deepspeed", "precision": "64-true"}, "DeepSpeed has no such precision"),
        ({"strategy": "deepspeed", "accumulate_grad_batches": 2}, "a stop would lose them"),
        ({"strategy": "deepspeed", "sync_batchnorm": True}, "doesn't synchronise"),
        ({"strategy": "deepspeed", "gradient_clip_algorithm": "value"}, "by their norm alone"),
        ({"strategy": {"class_path": f"{STRATEGIES}.FSDPStrategy"}}, "it runs on GPUs alone"),
        ({"strategy": {"class_path": SHARDED}}, "init_args"),
        ({"strategy": sharded(tensor_parallel_size=2)}, "out of range"),
        ({"strategy": sharded(save_distributed_checkpoint=False)}, "unknown key"),
        ({"strategy": sharded(data_parallel_size=3)}, "is 3, and there are 1 ranks"),
        ({"strategy": "fsdp2", "precision": 16}, "no such precision"),
        ({"strategy": "fsdp2", "sync_batchnorm": True}, "doesn't synchronise"),
        ({"strategy": "fsdp2"}, r"Model has no configure_model\(\)"),
        ({"val_check_interval": "an hour"}, "not a stretch of time"),
        ({"log_every_n_steps": 1, "precision": "99"}, "99"),
    ],
)
def test_refused_kwargs(tmp_path: Path, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        trainer(tmp_path, **kwargs)
    assert (caught.value.faults[0].key or "").startswith("trainer")


def test_a_run_of_a_few_batches(tmp_path: Path) -> None:
    built = trainer(tmp_path, {"max_epochs": 5}, fast_dev_run=3, limit_val_batches=0.5)
    assert (built.max_epochs, built.max_steps, built.limit_val_batches) == (1, 3, 3)
    assert not built.fast_dev_run  # type: ignore[attr-defined]  # set at run time
    assert len(built.loggers) == 1
    assert trainer(tmp_path, fast_dev_run=False, max_epochs=4).max_epochs == 4


@pytest.mark.parametrize("name", ["simple", "advanced", "pytorch"])
def test_a_profile_is_in_the_attempts_folder(tmp_path: Path, name: str) -> None:
    profiler: Any = trainer(tmp_path, profiler=name).profiler  # type: ignore[attr-defined]
    assert Path(profiler.dirpath) == tmp_path / "attempts" / "1" / "profile"
    assert type(profiler).__name__.lower() == f"{name}profiler"


def test_options_of_ddp(tmp_path: Path) -> None:
    options = {"find_unused_parameters": True, "bucket_cap_mb": 1}
    built = trainer(tmp_path, ranks=TWO, strategy={"class_path": DDP, "init_args": options})
    assert isinstance(built.strategy, DDPStrategy)
    assert built.strategy._ddp_kwargs == options


@pytest.mark.parametrize("strategy", ["auto", "ddp", "ddp_find_unused_parameters_true"])
def test_one_rank_needs_no_strategy(tmp_path: Path, strategy: str) -> None:
    built = trainer(tmp_path, strategy=strategy)
    assert type(built.strategy).__name__ == "SingleDeviceStrategy"


MONITORS: list[tuple[dict[str, Any], str | None]] = [
    ({"name": "lr_monitor", "cfg": {}, "kwargs": {"logging_interval": "epoch"}}, "epoch"),
    ({"name": "lr_monitor", "kwargs": {"logging_interval": "epoch"}}, "epoch"),
    ({"name": "lr_monitor"}, None),
]


@pytest.mark.parametrize(("entry", "interval"), MONITORS)
def test_learning_rate_monitor(tmp_path: Path, entry: dict[str, Any], interval: str | None) -> None:
    (monitor,) = (
        each
        for each in trainer(tmp_path, callbacks=[entry]).callbacks  # type: ignore[attr-defined]
        if isinstance(each, LearningRateMonitor)
    )
    assert monitor.logging_interval == interval


def test_a_model_of_ones_own() -> None:
    path = f"{__name__}.Model"
    model = build_model({"class_path": path, "init_args": {"width": 3}})
    assert isinstance(model, Model)
    assert model.width == 3


def make_model(width: int) -> Model:
    return Model(width)


def make_something(width: int):  # type: ignore[no-untyped-def]  # noqa: ANN201 - what is tried
    return Model(width)


def test_a_model_that_a_function_makes() -> None:
    model = build_model({"class_path": f"{__name__}.make_model", "init_args": {"width": 3}})
    assert isinstance(model, Model)
    assert model.width == 3


@pytest.mark.parametrize(
    ("cfg", "key", "message"),
    [
        (
            {"class_path": f"{__name__}.make_something"},
            "model.class_path",
            r"a function says so: `def make_something\(...\) -> LightningModule`",
        ),
        ({"class_path": "gone.Model"}, "model.class_path", "No module named 'gone'"),
        ({"class_path": f"{__name__}.Gone"}, "model.class_path", "no such class"),
        ({"class_path": f"{__name__}.gpus"}, "model.class_path", "not a LightningModule"),
        (
            {"class_path": f"{__name__}.Model", "init_args": {"with": 1}},
            "model.init_args",
            "unexpected keyword argument 'with'",
        ),
    ],
)
def test_a_model_that_cannot_be_had(cfg: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        build_model(cfg)
    assert caught.value.faults[0].key == key


def test_data_of_ones_own() -> None:
    cfg = {"class_path": "lightning.pytorch.demos.boring_classes.BoringDataModule"}
    assert isinstance(build_data({"data_train": cfg, "model": {}}), LightningDataModule)


def test_our_data_needs_a_batch_size() -> None:
    config = {"model": {"class_path": "a.B"}, "data_train": {}, "data_val": {}, "seed": 0}
    with pytest.raises(ConfigError, match="data class of your own"):
        build_data(config)
