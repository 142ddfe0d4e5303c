"""Each part of a composed training by itself, where a composition may leave it out."""

from pathlib import Path
from typing import Any

import pytest

from tests.resume.compositions import own
from tests.resume.in_process import assert_resumes_the_same

STOPS = ["step 2", "step 4", "step 14", "validation 20"]


def mixed(*parts: str, optimizer: str = "adam", scheduler: str = "none") -> dict[str, Any]:
    return own("own_mixes.Mixed", parts=[*parts], optimizer=optimizer, scheduler=scheduler)


def data(source: str = "loader") -> dict[str, Any]:
    return own("own_mixes.MixedData", source=source)


def test_tensors_in_one_anothers_memory(tmp_path: Path) -> None:
    model = mixed("viewed", "renewed", "shared")
    assert_resumes_the_same(tmp_path, STOPS, model=model, data_train=data())


@pytest.mark.parametrize("optimizer", ["adam", "turns"])
def test_parameters_that_an_optimizer_gets_late(optimizer: str, tmp_path: Path) -> None:
    model = mixed("joining", optimizer=optimizer)
    stops = ["step 2", "step 4", "epoch 20"]
    assert_resumes_the_same(tmp_path, stops, model=model, data_train=data())


@pytest.mark.parametrize("optimizer", ["turns", "sparse"])
def test_optimizers_that_step_in_turns(optimizer: str, tmp_path: Path) -> None:
    model = mixed("watching", optimizer=optimizer, scheduler="by hand")
    assert_resumes_the_same(tmp_path, ["step 3", "step 11"], model=model, data_train=data())


def test_gradients_of_what_an_optimizer_alone_holds(tmp_path: Path) -> None:
    model = mixed("held", optimizer="gathered")
    assert_resumes_the_same(tmp_path, ["step 4"], model=model, data_train=data())


@pytest.mark.parametrize("source", ["weighing", "split", "sorted", "epochs"])
def test_sources(source: str, tmp_path: Path) -> None:
    config = {"model": mixed(), "data_train": data(source), "kwargs": {"max_epochs": 2}}
    assert_resumes_the_same(tmp_path, ["step 4", "step 8"], **config)


def test_values_and_callbacks_of_many_kinds(tmp_path: Path) -> None:
    model = mixed("named", "gathered")
    callbacks = [own(f"own_callbacks.{name}") for name in ("Noting", "Average")]
    config = {"model": model, "data_train": data(), "callbacks": callbacks}
    assert_resumes_the_same(tmp_path, STOPS, **config)


def test_a_buffer_that_grows_beside_an_average_of_the_weights(tmp_path: Path) -> None:
    ema = {"name": "ema_weight_averaging", "kwargs": {"decay": 0.8}}
    config = {"model": mixed("written"), "data_train": data(), "callbacks": [ema]}
    assert_resumes_the_same(tmp_path, ["step 4"], **config)


def test_a_buffer_that_is_of_another_type_than_the_weights(tmp_path: Path) -> None:
    config = {"model": mixed("written"), "data_train": data(), "kwargs": {"precision": "64-true"}}
    assert_resumes_the_same(tmp_path, ["step 6"], **config)
