"""Key paths, and changing a config at one of them."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcm.config.keys import Keys, dotted, item_name, item_names
from pcm.config.override import Variants, parse_path, resolve, with_value
from pcm.errors import ConfigError, Fault
from tests.unit.config import samples

CONFIG = {
    "seed": 0,
    "model": {
        "chain": [
            {"name": "encoder", "cfg": {"dims": [32, 16]}},
            {"name": "twin", "cfg": 1},
            {"name": "twin", "cfg": 2},
            {"name": "7", "cfg": 3},
        ],
        "commands": [{"command_name": "forward"}],
        "schedulers": [{"link_name": "prior"}],
        "nodes": [{"node_name": "pca"}],
    },
}


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("seed", ("seed",)),
        ("model", ("model",)),
        ("model.chain.encoder.cfg.dims", ("model", "chain", 0, "cfg", "dims")),
        ("model.chain.encoder.cfg.dims.1", ("model", "chain", 0, "cfg", "dims", 1)),
        ("model.chain.2.cfg", ("model", "chain", 2, "cfg")),
        ("model.commands.forward", ("model", "commands", 0)),
        ("model.schedulers.prior", ("model", "schedulers", 0)),
        ("model.nodes.pca", ("model", "nodes", 0)),
    ],
)
def test_resolve(path: str, keys: Keys) -> None:
    assert resolve(CONFIG, path) == keys


def test_the_last_key_may_be_new() -> None:
    assert resolve(CONFIG, "model.chain.encoder.cfg.width") == ("model", "chain", 0, "cfg", "width")
    assert resolve({}, "seed") == ("seed",)


NO_ARGUMENTS: dict[str, Any] = {
    "model": {"class_path": "own.Model", "name": "own"},
    "trainer": {
        "callbacks": [{"name": "early_stopping"}, {"class_path": "own.Watch", "init_args": None}]
    },
}


@pytest.mark.parametrize(
    "path",
    [
        "trainer.callbacks.early_stopping.kwargs.patience",
        "trainer.callbacks.1.init_args.patience",
        "model.init_args.patience",
    ],
)
def test_the_first_argument_of_a_class_or_callback(path: str) -> None:
    keys = resolve(NO_ARGUMENTS, path)
    for change in (with_value, Variants().with_value):
        changed = change(NO_ARGUMENTS, keys, 3)
        assert value_at(changed, keys) == 3
        assert value_at(changed, keys[:-1]) == {"patience": 3}
        assert resolve(changed, path) == keys
    second = with_value(with_value(NO_ARGUMENTS, keys, 3), (*keys[:-1], "mode"), "max")
    assert value_at(second, keys[:-1]) == {"patience": 3, "mode": "max"}
    assert NO_ARGUMENTS["model"] == {"class_path": "own.Model", "name": "own"}


@pytest.mark.parametrize(
    "path",
    [
        "model.kwargs.lr",
        "trainer.callbacks.early_stopping.init_args.patience",
        "trainer.callbacks.1.kwargs.patience",
        "trainer.kwargs.max_epochs",
        "model.init_args.optimizer.lr",
    ],
)
def test_nothing_is_given_to_what_takes_no_arguments(path: str) -> None:
    fault_of(path, NO_ARGUMENTS)


def fault_of(path: str, config: Any = CONFIG) -> Fault:
    with pytest.raises(ConfigError) as caught:
        resolve(config, path)
    (fault,) = caught.value.faults
    assert fault.key == path
    return fault


@pytest.mark.parametrize(
    ("path", "problem", "hint"),
    [
        ("modle.chain", "a config has no 'modle'", "did you mean 'model'?"),
        ("model.chian.encoder", "'model' has no 'chian'", "did you mean 'chain'?"),
        ("model.chain.encodr.cfg", "'model.chain' has no 'encodr'", "did you mean 'encoder'?"),
        (
            "model.chain.encoder.cgf.dims",
            "'model.chain.encoder' has no 'cgf'",
            "did you mean 'cfg'?",
        ),
        ("model.commands.1", "'model.commands' has no '1'", None),
        ("model.chain.encoder.cfg.dims.2", "'model.chain.encoder.cfg.dims' has no '2'", None),
        ("model.chain.encoder.cfg.dims.-1", "'model.chain.encoder.cfg.dims' has no '-1'", None),
        ("seed.x", "nothing is below 'seed'", None),
        ("model.chain.twin.cfg", "several items of 'model.chain' are named 'twin'", None),
    ],
)
def test_a_path_that_leads_nowhere(path: str, problem: str, hint: str | None) -> None:
    fault = fault_of(path)
    assert (fault.problem, fault.hint) == (problem, hint)


def test_what_is_said_lists_what_there_is() -> None:
    assert fault_of("model.chain.x.cfg").expected == "one of encoder"
    assert fault_of("model.chain.encoder.cfg.dims.9").expected == "an index from 0 to 1"
    assert fault_of("model.chain.twin.cfg").expected == "an index from 0 to 3"


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a. b", " a"])
def test_what_is_no_path(path: str) -> None:
    assert fault_of(path).problem == "not a key path"
    with pytest.raises(ConfigError):
        parse_path(path)


def test_parts() -> None:
    assert parse_path("a.b-c.0.ä") == ("a", "b-c", "0", "ä")


def test_names_of_items() -> None:
    assert item_name({"command_name": "forward", "x": 1}) == "forward"
    assert item_name({"name": 3}) is None
    assert item_name("name") is None
    items = [{"name": name} for name in ("a", "b.c", "d e", "3", "f", "f", "")]
    assert item_names(items) == ["a"]


def test_dotted_calls_items_by_name_where_it_can() -> None:
    assert (
        dotted(CONFIG, ("model", "chain", 0, "cfg", "dims", 1)) == "model.chain.encoder.cfg.dims.1"
    )
    assert dotted(CONFIG, ("model", "chain", 1, "cfg")) == "model.chain.1.cfg"
    assert dotted(CONFIG, ("model", "chain", 3)) == "model.chain.3"
    assert dotted(CONFIG, ("no", "such", 3)) == "no.such.3"
    assert dotted(CONFIG, ()) == ""


def paths_below(value: Any, keys: Keys = ()) -> list[Keys]:
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    if isinstance(value, list):
        entries = list(enumerate(value))
    return [keys, *(path for key, inside in entries for path in paths_below(inside, (*keys, key)))]


EXPERIMENT = samples.experiment()
PATHS = [keys for keys in paths_below(EXPERIMENT) if keys]


def value_at(config: Any, keys: Keys) -> Any:
    for key in keys:
        config = config[key]
    return config


@given(st.sampled_from(PATHS))
def test_every_place_can_be_written_and_found_again(keys: Keys) -> None:
    assert resolve(EXPERIMENT, dotted(EXPERIMENT, keys)) == keys


@given(st.sampled_from(PATHS), st.integers())
def test_a_change_changes_one_place_and_nothing_in_place(keys: Keys, value: int) -> None:
    before = copy.deepcopy(EXPERIMENT)
    changed = with_value(EXPERIMENT, keys, value)
    assert before == EXPERIMENT
    assert value_at(changed, keys) == value
    assert with_value(changed, keys, value_at(EXPERIMENT, keys)) == EXPERIMENT


@given(st.sampled_from(PATHS))
def test_all_that_is_untouched_is_shared(keys: Keys) -> None:
    changed = with_value(EXPERIMENT, keys, object())
    for other in PATHS:
        leads_to_it = other == keys[: len(other)]
        if not leads_to_it and other[: len(keys)] != keys:
            assert value_at(changed, other) is value_at(EXPERIMENT, other)


def test_the_whole_config_may_be_replaced() -> None:
    assert with_value(CONFIG, (), 3) == Variants().with_value(CONFIG, (), 3) == 3


@given(st.lists(st.tuples(st.sampled_from(PATHS[:1] + PATHS[-12:]), st.integers(0, 3)), max_size=5))
def test_variants_are_what_single_changes_make(changes: list[tuple[Keys, int]]) -> None:
    variants = Variants()
    plain = shared = EXPERIMENT
    for keys, value in changes:
        if len(keys) > 1 and not isinstance(value_at_or_none(plain, keys[:-1]), (dict, list)):
            continue
        plain = with_value(plain, keys, value)
        shared = variants.with_value(shared, keys, value)
    assert plain == shared


def value_at_or_none(config: Any, keys: Keys) -> Any:
    try:
        return value_at(config, keys)
    except (LookupError, TypeError):
        return None


def test_variants_share_what_they_change_alike() -> None:
    variants = Variants()
    rate = 0.5
    keys = resolve(EXPERIMENT, "model.optimizers.0.kwargs.lr")
    first, second = (
        variants.with_value(variants.with_value(EXPERIMENT, keys, rate), ("seed",), seed)
        for seed in (1, 2)
    )
    assert first is not second
    assert (first["seed"], second["seed"]) == (1, 2)
    assert first["model"] is second["model"]


def test_variants_stay_right_past_what_they_remember() -> None:
    variants = Variants()
    for seed in range(40_000):
        assert variants.with_value(CONFIG, ("seed",), seed)["seed"] == seed
