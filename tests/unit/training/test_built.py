"""Numbers of what a module holds, which must be the same in every process."""

import subprocess
import sys

import pytest

PROGRAM = """
import torch
from pcm.training.states.built import Built

class Own:
    def __init__(self, number):
        self.number = number

first, last, built = Own({first}), Own(700), Built()
for value in ([first, "a" * {first}], {{Own(each) for each in "abcdefgh"}}, (last, 1.5), last):
    built.note(value)
print(built.number_of(first), built.number_of(last), built.number_of(7))
"""


@pytest.mark.parametrize("first", [7, 700])
def test_what_processes_may_share_or_not_has_no_number(first: int) -> None:
    """Small numbers are one object, large ones several; a set has an order of its own each time."""
    program = PROGRAM.format(first=first)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "4", "None"]
