"""The identity of an experiment: the same for the same result, on every machine, for ever."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcm.config.identity import PRESENTATIONAL_KWARGS, Identifier, identity
from pcm.config.override import resolve, with_value
from pcm.config.structures.trainer_kwargs import PARAMETERS
from tests.unit.config import samples

CONFIG = samples.experiment()


def changed(path: str, value: Any) -> Any:
    return with_value(CONFIG, resolve(CONFIG, path), value)


def test_it_stays_what_it_was_in_the_first_release() -> None:
    config = {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": None,
        "world_size": 2,
        "model": {"chain": [{"name": "ä", "dims": [1, 2.0, 1e-3]}], "none": None, "yes": True},
        "data_train": {"class_path": "a.B"},
        "data_val": None,
        "trainer": {"kwargs": {"precision": "bf16"}, "devices": 2},
    }
    assert identity(config) == "2fe7405b40b9e14a472fcc20316486f96a97c6f634e6f9dfd1402adf376d7e2d"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 1),
        ("subsample_size", 100),
        ("world_size", 2),
        ("model.optimizers.0.kwargs.lr", 2e-3),
        ("model.chain.encoder.cfg.hidden_dims", [16, 32]),
        ("model.chain.encoder.cfg.block_wrapper_name", "shortcut"),
        ("model.optimizers.0.kwargs.amsgrad", True),
        ("data_train.train", False),
        ("data_val.label_condition.known_prob", 0.25),
        ("trainer.kwargs.precision", "bf16-mixed"),
        ("trainer.accelerator", "gpu"),
    ],
)
def test_what_changes_the_result_changes_it(path: str, value: Any) -> None:
    assert identity(changed(path, value)) != identity(CONFIG)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 2),
        ("trainer.callbacks", []),
        ("trainer.devices", 4),
        ("trainer.num_nodes", 2),
        ("trainer.kwargs.enable_progress_bar", False),
        ("trainer.kwargs.log_every_n_steps", 1),
        ("model.training.batch_size", 16.0),
        ("model.optimizers.0.kwargs.lr", 0.001),
    ],
)
def test_what_changes_no_result_does_not(path: str, value: Any) -> None:
    assert identity(changed(path, value)) == identity(CONFIG)


def test_presentation_names_are_lightnings() -> None:
    assert set(PARAMETERS) >= PRESENTATIONAL_KWARGS


def test_what_else_changes_the_result() -> None:
    plain = identity(CONFIG)
    started = identity(CONFIG, starts_from={"checkpoint": "a.ckpt"})
    assert len({plain, started, identity(CONFIG, version=1), identity(CONFIG, version=2)}) == 4
    assert identity(CONFIG, starts_from=None, version=None) == plain


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (None, "null"),
        ([], {}),
        ([[1], 2], [[1, 2]]),
        (["a,b"], ["a", "b"]),
        ({"a": {"b": 1}}, {"a": {}, "b": 1}),
        ('"', '\\"'),
        ("#" + "0" * 64, []),
        (1e-3, 1e-4),
        (2**60, 2**60 + 1),
    ],
)
def test_different_values_never_meet(first: Any, second: Any) -> None:
    assert identity({"model": {"x": first}}) != identity({"model": {"x": second}})


@pytest.mark.parametrize(("first", "second"), [(1, 1.0), (0.0, -0.0), (100, 1e2)])
def test_equal_numbers_are_one(first: Any, second: Any) -> None:
    assert identity({"model": {"x": first}}) == identity({"model": {"x": second}})


def test_a_section_can_not_pass_for_another() -> None:
    assert identity({"model": {"x": 1}}) != identity({"trainer": {"x": 1}})


def test_the_order_of_keys_is_nothing() -> None:
    backwards = dict(reversed(CONFIG.items()))
    backwards["model"] = dict(reversed(CONFIG["model"].items()))
    assert identity(backwards) == identity(CONFIG)


def test_the_order_of_a_list_is_something() -> None:
    assert identity({"model": {"x": [1, 2]}}) != identity({"model": {"x": [2, 1]}})


CONFIGS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3), inside, max_size=3)
    ),
    max_leaves=10,
)


@given(st.lists(CONFIGS, min_size=2, max_size=5))
def test_one_identifier_for_many_configs_says_what_a_fresh_one_says(values: list[Any]) -> None:
    identifier = Identifier()
    configs = [{"model": first, "trainer": second} for first in values for second in values]
    for config in configs:
        assert identifier.identity(config) == identity(copy.deepcopy(config))


def test_an_identifier_stays_right_past_what_it_remembers() -> None:
    identifier = Identifier()
    found = {identifier.identity({"model": [number], "trainer": {}}) for number in range(20_000)}
    assert len(found) == 20_000


def test_it_is_a_sha256() -> None:
    assert len(identity(CONFIG)) == 64
    assert int(identity(CONFIG), 16) >= 0
