"""Errors for people: exit codes, one message for everything, no surprise when they travel."""

import pickle

import pytest

from pcm.errors import (
    ConfigError,
    ExitCode,
    Fault,
    NotFoundError,
    PcmError,
    RefusedError,
    UsageError,
)


def test_exit_codes_are_frozen() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "EXPERIMENT_FAILED": 1,
        "USAGE": 2,
        "CONFIG_INVALID": 3,
        "REFUSED": 4,
        "NOT_FOUND": 5,
        "STOPPED": 75,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PcmError("x"), 1),
        (UsageError("x"), 2),
        (ConfigError([Fault("x")]), 3),
        (RefusedError("x"), 4),
        (NotFoundError("x"), 5),
    ],
)
def test_each_error_has_its_exit_code(error: PcmError, code: int) -> None:
    assert error.exit_code == code


def test_a_hint_stands_on_a_line_of_its_own() -> None:
    assert str(RefusedError("sbatch is missing")) == "sbatch is missing"
    error = RefusedError("sbatch is missing", "use --executor local")
    assert str(error) == "sbatch is missing\n  try: use --executor local"
    assert (error.message, error.hint) == ("sbatch is missing", "use --executor local")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("unknown key"), "unknown key"),
        (Fault("empty", file="ä b.yaml"), "ä b.yaml: empty"),
        (Fault("empty", file="a.yaml", line=3), "a.yaml:3: empty"),
        (Fault("empty", key="a.b"), "a.b: empty"),
        (Fault("empty", line=3, key="a.b"), "3: a.b: empty"),
        (
            Fault("wrong type", "a.yaml", 3, "a.b", '"x"', "int", "write 3"),
            'a.yaml:3: a.b: wrong type\n  found: "x"\n  expected: int\n  try: write 3',
        ),
        (Fault("wrong type", found="", expected="int"), "wrong type\n  found: \n  expected: int"),
    ],
)
def test_how_a_fault_reads(fault: Fault, text: str) -> None:
    assert str(fault) == text


def test_equal_faults_are_one() -> None:
    assert len({Fault("x", "a.yaml", 1), Fault("x", "a.yaml", 1), Fault("x", "a.yaml", 2)}) == 2


def test_a_config_error_tells_every_fault() -> None:
    error = ConfigError([Fault("one", line=1), Fault("two", line=2)])
    assert str(error) == "1: one\n2: two"
    assert [fault.problem for fault in error.faults] == ["one", "two"]


def test_a_config_error_without_faults_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        ConfigError([])


def test_errors_survive_a_pickle() -> None:
    # They travel from a process that trains to the one that started it.
    sent = ConfigError([Fault("one", "a.yaml", 1, "k", "f", "e", "h")])
    received = pickle.loads(pickle.dumps(sent))
    assert isinstance(received, ConfigError)
    assert received.faults == sent.faults
    assert str(received) == str(sent)
