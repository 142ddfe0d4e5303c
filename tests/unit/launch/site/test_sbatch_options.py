"""Options of sbatch by their own names."""

from typing import Any

import pytest

from launch.site.resources import combined, parse_resources, resources_of_options
from launch.site.sbatch_options import OURS, SHORT, joined_gres, parse_options, read_words


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["--licenses=a"], [("licenses", "a")]),
        (["--licenses", "a"], [("licenses", "a")]),
        (["-L", "a", "--hold"], [("licenses", "a"), ("hold", True)]),
        (["-La", "-H"], [("licenses", "a"), ("hold", True)]),
        (["--comment=a=b"], [("comment", "a=b")]),
        (["--mail_type=END"], [("mail-type", "END")]),
        (["--comment="], [("comment", "")]),
    ],
)
def test_options_as_they_are_typed(words: list[str], read: list[tuple[str, Any]]) -> None:
    assert [(name, value) for _, name, value in read_words(words)] == read


@pytest.mark.parametrize("word", ["licenses=a", "-", "--", "-Z", "---x", "-5"])
def test_what_is_no_option(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        list(read_words([word]))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("t", 5, "a short option"),
        ("-p", "gpu", "a short option"),
        ("Z", "", "a short option"),
        ("--time", 5, "its dashes"),
        ("time limit", 5, "not the name"),
        ("comment=x\n#SBATCH --array", 5, "not the name"),
        ("comment", "a\n#SBATCH --array=0-9", "control character"),
        ("gres", "tmpfs:1,gpu:2", "generic resource is ours"),
        ("GPUs_per_node", 2, "is ours"),
        ("help", "", "is ours"),
    ],
)
def test_each_mistake_is_named(name: str, value: Any, problem: str) -> None:
    options, [fault] = parse_options({name: value})
    assert options == {}
    assert problem in fault.problem
    assert fault.key == name


def test_a_short_option_is_told_with_its_long_name() -> None:
    _, [fault] = parse_options({"-p": "gpu"})
    assert fault.hint == "write `partition`"
    assert OURS.keys() & {SHORT[letter] for letter in "aeoJdnNGW"} == {
        *("array", "error", "output", "job-name", "dependency", "ntasks", "nodes", "gpus", "wait")
    }


def test_an_option_with_a_value_without_and_turned_off() -> None:
    given = {"hold": "", "exclusive": True, "nice": 0, "oversubscribe": False, "licenses": None}
    assert parse_options(given) == ({"hold": True, "exclusive": True, "nice": 0}, [])


def test_generic_resources_stand_side_by_side() -> None:
    assert joined_gres("gpu:4", "tmpfs:1,fast:2") == "gpu:4,tmpfs:1,fast:2"
    assert joined_gres("tmpfs:9", "tmpfs:1,fast:2") == "tmpfs:9,fast:2"
    both = combined({"sbatch": {"gres": "a:1", "nice": 1}}, {"sbatch": {"gres": "b:1", "nice": 2}})
    assert both == {"sbatch": {"gres": "a:1,b:1", "nice": 1}}


def test_options_that_are_resources_are_read_as_these() -> None:
    resources, faults = resources_of_options({"mail-type": "end", "mem": 0, "x-y": 1, "Time": "1h"})
    assert (resources.mail_type, resources.mem, resources.time) == ("END", 0, 60)
    assert (resources.sbatch, faults) == ({"x-y": 1}, [])
    _, [fault] = resources_of_options({"mail_type": "sometimes"})
    assert fault.key == "mail_type"


@pytest.mark.parametrize("name", ["time", "mem_per_cpu"])
def test_a_grid_says_resources_as_resources(name: str) -> None:
    _, [fault] = parse_resources({"sbatch": {name: 5}})
    assert fault.key == f"sbatch.{name.replace('_', '-')}"
