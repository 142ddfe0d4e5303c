"""When a process that has loaded modules may still be forked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pcm.nursery import loaded
from pcm.nursery.loaded import LoadedCode, load

ROOT = Path(__file__).parents[3]


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
        ("raise SystemExit(2)", "users_own of `preload` can't be imported: SystemExit: 2"),
    ],
    ids=["threads", "error", "exit"],
)  # fmt: skip
def test_what_must_not_be_forked_says_why(own: Path, text: str, why: str) -> None:
    own.write_text(text)
    assert load(["users_own"]) == why


def test_a_gpu_that_was_used_is_not_forked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    assert load(["users_own"]) == "importing users_own used a GPU, which a fork can't go on with"


def test_training_comes_first_and_says_what_is_missing(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded, "TRAINING", ("no_such_module",))
    assert "no_such_module can't be imported here: ModuleNotFoundError" in str(load([]))


CHANGES = {
    "import torch; A = torch.rand(2)": "drew random numbers",
    "import numpy; A = numpy.random.rand(2)": "drew random numbers",
    "import random; A = random.random()": "drew random numbers",
    "import torch; torch.set_default_dtype(torch.float64)": "changed torch's defaults",
    "import os; os.environ['USERS_OWN'] = 'b'": "changed variables of the environment",
    "import os; del os.environ['USERS_OWN']": "changed variables of the environment",
    "import os; os.chdir('/')": "changed the working directory",
    "import os; os.umask(0o77)": "changed the umask",
    "import sys; sys.stdout = sys.stderr": "replaced a standard stream",
    "import signal; signal.signal(signal.SIGUSR1, print)": "handles signals",
    "import multiprocessing as m; m.set_start_method('spawn', force=True)":
        "set how processes are started",
}  # fmt: skip


@pytest.mark.parametrize("line", CHANGES)
def test_what_all_that_are_forked_would_have_is_not_forked(own: Path, line: str) -> None:
    own.write_text(line)
    program = "import numpy, torch\nfrom pcm.nursery import loaded\nloaded.TRAINING = ()\n"
    program += "print(loaded.load(['users_own']))"
    python = [sys.executable, "-c", program]
    environment = {**os.environ, "USERS_OWN": "a", "PYTHONPATH": f"{ROOT}:{own.parent}"}
    ran = subprocess.run(python, env=environment, capture_output=True, text=True, check=True)
    told = ran.stdout.strip() or ran.stderr.strip()
    assert told == f"importing users_own {CHANGES[line]}, which all that are forked would have"


def test_further_variables_are_no_change(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERS_OWN", raising=False)
    own.write_text("import os\nos.environ['USERS_OWN'] = 'a'\n")
    assert load(["users_own"]) is None
