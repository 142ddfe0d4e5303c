"""When a process that has loaded modules may still be forked."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pcm.nursery import loaded
from pcm.nursery.loaded import LoadedCode, load


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's module, which is loaded at most once."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loaded, "TRAINING", ())
    monkeypatch.delitem(sys.modules, "users_own", raising=False)
    file = tmp_path / "users_own.py"
    file.write_text("SIZE = 1\n")
    return file


def test_edited_code_is_noticed(own: Path) -> None:
    assert load(["users_own"]) is None
    code = LoadedCode()
    assert code.edited() is None
    own.write_text("SIZE = 22\n")
    assert code.edited() == str(own)
    own.unlink()
    assert code.edited() == str(own)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True, "
         "args=(5,)).start()", "importing users_own started threads, which a fork ends"),
        ("1 / 0", "users_own of `preload` can't be imported: ZeroDivisionError: division by zero"),
    ],
    ids=["threads", "error"],
)  # fmt: skip
def test_what_must_not_be_forked_says_why(own: Path, text: str, why: str) -> None:
    own.write_text(text)
    assert load(["users_own"]) == why


def test_a_gpu_that_was_used_is_not_forked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "torch", used)
    assert load(["users_own"]) == "importing users_own used a GPU, which a fork can't go on with"


def test_training_comes_first_and_says_what_is_missing(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded, "TRAINING", ("no_such_module",))
    assert "no_such_module can't be imported here: ModuleNotFoundError" in str(load([]))
