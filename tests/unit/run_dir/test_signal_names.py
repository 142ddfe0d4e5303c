"""Names of signals, for a person."""

import signal

import pytest

from pcm.run_dir.signal_names import signal_name


@pytest.mark.parametrize(
    ("number", "name"),
    [(9, "SIGKILL"), (signal.SIGRTMIN, "SIGRTMIN"), (signal.SIGRTMIN + 6, "SIGRTMIN+6")],
)
def test_every_signal_has_a_name(number: int, name: str) -> None:
    assert signal_name(number) == name


def test_what_libraries_keep_for_themselves() -> None:
    assert signal_name(signal.SIGRTMIN - 1) == f"signal {signal.SIGRTMIN - 1}"
