"""Whatever stands wherever in a config: faults are reported, and nothing else is raised."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pcm.config.check import EXPERIMENT, check_experiment
from pcm.config.keys import Keys
from pcm.config.override import with_value
from pcm.config.structure import Inspector, find_faults
from tests.unit.config import samples


def places_in(value: Any, keys: Keys = ()) -> list[Keys]:
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    if isinstance(value, list):
        entries = list(enumerate(value))
    return [keys, *(place for key, inside in entries for place in places_in(inside, (*keys, key)))]


CONFIG = samples.experiment()
PLACES = places_in(CONFIG)
NAMES = ["encoder", "forward", "posterior", "", ".", "name", "latent/posterior_gaussian", "a.B:C"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.sampled_from(NAMES),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES, "kwargs", "cfg", "link"]), inside, max_size=3)
    ),
    max_leaves=6,
)


def replaced(config: Any, keys: Keys, value: Any) -> Any:
    try:
        return with_value(config, keys, value)
    except (LookupError, TypeError, AttributeError):
        return config  # an earlier change took the place away


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_an_experiment_with_anything_anywhere(changes: list[tuple[Keys, Any]]) -> None:
    config = CONFIG
    for keys, value in changes:
        config = replaced(config, keys, value)
    for fault in check_experiment(config):
        assert fault.problem
        assert str(fault)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=2, max_size=6))
def test_a_shared_inspector_says_of_each_what_a_fresh_one_says(
    changes: list[tuple[Keys, Any]],
) -> None:
    shared = Inspector()
    for keys, value in changes:
        config = replaced(CONFIG, keys, value)
        fresh = Inspector().inspect(config, EXPERIMENT)
        assert repr(list(shared.inspect(config, EXPERIMENT))) == repr(list(fresh))


@settings(max_examples=100)
@given(VALUES)
def test_a_file_of_anything(value: Any) -> None:
    for structure in samples.STRUCTURES.values():
        find_faults(value, structure)
