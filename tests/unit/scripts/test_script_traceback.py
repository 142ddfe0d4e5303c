"""What is told of a script that died of an exception."""

import subprocess
import sys
from pathlib import Path

import pytest

from pcm.scripts.script_traceback import last_exception, last_words

ENDS = [
    ("raise ValueError('no such digit\\nsecond line')", "ValueError: no such digit"),
    ("raise KeyError", "KeyError"),
    ("assert False", "AssertionError"),
    (
        "try:\n  1 / 0\nexcept Exception as e:\n  raise OSError('gone') from e",
        "OSError: gone",
    ),
    (
        "import atexit; atexit.register(print, 'bye'); import absent",
        "ModuleNotFoundError: No module named 'absent'",
    ),
    ("raise SystemExit('no such file')", ""),
    ("print('Traceback (most recent call last):')", ""),
    ("raise ValueError('x' * 1000)", "ValueError: " + "x" * 188),
    ("import os; os.write(1, b'\\xff' * 200_000); raise KeyError('ü')", "KeyError: 'ü'"),
]


@pytest.mark.parametrize(("code", "told"), ENDS)
def test_the_last_exception_is_told(tmp_path: Path, code: str, told: str) -> None:
    log = tmp_path / "rank-0.log"
    with log.open("w") as stream:
        command = [sys.executable, "-S", "-X", "utf8", "-c", code]
        subprocess.run(command, stdout=stream, stderr=stream, check=False)
    assert last_exception(log) == told


def test_the_last_line_of_a_program_is_told_and_none_of_ours(tmp_path: Path) -> None:
    log = tmp_path / "rank-0.log"
    log.write_text(
        "pcm: runs train.py\nusage: train.py\ntrain.py: error: no such option: --lrr\n\n"
    )
    assert last_words(log) == "train.py: error: no such option: --lrr"
    log.write_text("pcm: runs train.py\n")
    assert last_words(log) == ""


def test_without_a_log_nothing_is_told(tmp_path: Path) -> None:
    assert last_exception(tmp_path / "none.log") == ""
    assert last_words(tmp_path / "none.log") == ""
