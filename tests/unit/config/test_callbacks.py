"""Callbacks of a trainer file: which there are, what they take, which change a result."""

from typing import Any

import pytest

from pcm.config.identity import identity
from pcm.config.structure import find_faults
from pcm.config.structures.callbacks import CALLBACK, CALLBACK_KWARGS
from pcm.config.structures.experiment import EXPERIMENT
from pcm.errors import Fault
from tests.unit.config import samples

STOPPING: dict[str, Any] = {"name": "early_stopping", "kwargs": {"monitor": "val/loss"}}
LR_MONITOR: dict[str, Any] = {"name": "lr_monitor", "cfg": {}, "kwargs": {}}
LIGHTNING = "lightning.pytorch.callbacks"


def faults(callback: Any) -> list[Fault]:
    return find_faults(callback, CALLBACK)


def named(name: str, **kwargs: Any) -> dict[str, Any]:
    return {"name": name, "kwargs": kwargs}


@pytest.mark.parametrize(
    "callback",
    [
        STOPPING,
        STOPPING | {"cfg": {}},
        LR_MONITOR,
        {"name": "lr_monitor", "kwargs": {"logging_interval": "step"}},
        {"name": "rich_model_summary"},
        named("early_stopping", monitor="val/elbo", mode="max", patience=3),
        named("timer", duration="00:12:00:00"),
        named("timer", duration={"hours": 12}),
        named("gradient_accumulation_scheduler", scheduling={"0": 4, "8": 1}),
        named("stochastic_weight_averaging", swa_lrs=1, swa_epoch_start=0.5),
        named("model_checkpoint", monitor="val/loss", save_top_k=3),
        named("model_checkpoint", train_time_interval={"minutes": 30}),
        {"class_path": "my_pkg.MyCallback", "init_args": {"anything": [1]}},
        {"class_path": f"{LIGHTNING}.EarlyStopping", "init_args": {"monitor": "val/loss"}},
        {"class_path": f"{LIGHTNING}.LambdaCallback"},
        {"class_path": f"{LIGHTNING}.BatchSizeFinder", "init_args": {"mode": "binsearch"}},
        named("learning_rate_finder", max_lr=0.5, early_stop_threshold=None),
    ],
)
def test_callbacks_that_can_be_had(callback: dict[str, Any]) -> None:
    assert faults(callback) == []


@pytest.mark.parametrize(
    ("callback", "key", "message"),
    [
        ({"name": "early_stoping"}, "name", "unknown callback"),
        ({"name": "early_stopping"}, "kwargs.monitor", "missing key 'monitor'"),
        (STOPPING | {"cfg": {"monitor": "a"}}, "cfg", "not for a callback of Lightning's"),
        ({"name": "lr_monitor", "cfg": {"a": 1}}, "cfg", "not for a callback of Lightning's"),
        ({"name": "neptune_plot"}, "cfg", "missing key 'cfg'"),
        (named("early_stopping", monitor="a", mode="least"), "kwargs.mode", "unknown mode"),
        (named("early_stopping", monitor="a", patient=1), "kwargs.patient", "unknown key"),
        (named("timer", duration="12h"), "kwargs.duration", "not a stretch of time"),
        (named("timer", duration={"hours": 0}), "kwargs.duration", "not a stretch of time"),
        (
            named("gradient_accumulation_scheduler", scheduling={"one": 4}),
            "kwargs.scheduling.one",
            "not an epoch",
        ),
        (named("stochastic_weight_averaging"), "kwargs.swa_lrs", "missing key"),
        (named("model_checkpoint", save_top_k=3), "kwargs.save_top_k", "the best of no metric"),
        (
            named("model_checkpoint", every_n_epochs=1, every_n_train_steps=5),
            "kwargs.every_n_epochs",
            "exclude each other",
        ),
        ({"class_path": f"{LIGHTNING}.EarlyStopping"}, "init_args.monitor", "missing key"),
        (named("learning_rate_finder", min_lr=2.0), "kwargs.min_lr", "not below max_lr"),
        (named("learning_rate_finder", update_attr=False), "kwargs.update_attr", "nobody"),
        (named("batch_size_finder", margin=1.0), "kwargs.margin", "out of range"),
        ({"class_path": "EarlyStopping"}, "class_path", "not a class path"),
    ],
)
def test_callbacks_that_cannot(callback: dict[str, Any], key: str, message: str) -> None:
    (fault,) = faults(callback)
    assert fault.key == key
    assert message in fault.problem


@pytest.mark.parametrize("name", CALLBACK_KWARGS)
def test_every_name_does_without_what_it_does_not_need(name: str) -> None:
    record: Any = CALLBACK_KWARGS[name]
    needed = getattr(getattr(record, "structure", record), "required", {})
    expected = {"cfg"} if name == "neptune_plot" else {f"kwargs.{key}" for key in needed}
    assert {fault.key for fault in faults({"name": name})} == expected
    assert {fault.key for fault in faults({"name": name, "kwargs": {}})} == expected
    (alone,) = faults(name)
    assert alone.hint is not None
    assert alone.hint.startswith(f"{{name: {name}}}")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("EarlyStopping", "{name: early_stopping}, and"),
        ("my_pkg.Freeze", "{class_path: my_pkg.Freeze}"),
        ("early_stoping", "did you mean 'early_stopping'?"),
    ],
)
def test_who_writes_a_class_alone_is_told_how(text: str, hint: str) -> None:
    (fault,) = faults(text)
    assert fault.problem == "a name alone is no callback"
    assert str(fault.hint).startswith(hint)


@pytest.mark.parametrize(
    ("callbacks", "changes", "message"),
    [
        (["batch_size_finder"], {"world_size": 2}, "looks on one rank alone, and there are 2"),
        (["batch_size_finder"] * 2, {}, "a second batch_size_finder"),
        (
            ["learning_rate_finder"],
            {"model": samples.experiment()["model"]},
            "a chain has its model file",
        ),
        (["learning_rate_finder"], {"kwargs": {"strategy": "fsdp2"}}, "weights in shards"),
    ],
)
def test_finders_that_cannot_look(
    callbacks: list[str], changes: dict[str, Any], message: str
) -> None:
    own = {"class_path": "my_pkg.Mine"}
    config = samples.experiment() | {"model": own, "data_train": own, "data_val": None} | changes
    trainer = {"callbacks": [*map(named, callbacks)], "kwargs": config.pop("kwargs", {})}
    config["trainer"] = config["trainer"] | trainer
    assert any(message in each.problem for each in find_faults(config, EXPERIMENT))


def test_only_callbacks_that_change_a_result_count() -> None:
    def of(*callbacks: dict[str, Any]) -> str:
        config = samples.experiment()
        return identity(config | {"trainer": config["trainer"] | {"callbacks": [*callbacks]}})

    watching = [LR_MONITOR, {"name": "model_summary"}, {"name": "model_checkpoint"}]
    assert of(*watching) == of()
    stopping = of(STOPPING)
    assert stopping != of()
    assert of(*watching, STOPPING) == stopping
    assert of(named("early_stopping", monitor="val/loss", patience=5)) != stopping
    assert of({"class_path": "my_pkg.Mine"}) != of()
