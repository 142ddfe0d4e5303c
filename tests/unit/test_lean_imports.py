"""Importing Lightning without what no training needs, in processes of their own."""

import subprocess
import sys

import pytest

PRELUDE = """
import gc
import sys
from pcm.lean_imports import lean_imports
"""


def run(program: str) -> None:
    subprocess.run([sys.executable, "-c", PRELUDE + program], check=True)


def test_training_starts_without_scipy_signal_and_has_it_when_it_wants_it() -> None:
    run("""
from pcm.nursery.loaded import load
assert load([]) is None
assert gc.isenabled()
assert "lightning" in sys.modules
assert "scipy.signal" not in sys.modules
assert "scipy.stats" not in sys.modules
from torchmetrics.audio import SignalDistortionRatio
from torchmetrics.functional.audio import permutation_invariant_training
import scipy.signal
assert scipy.signal.windows.hamming(3)[1] == 1.0
assert not hasattr(scipy.signal, "hamming")
""")


@pytest.mark.parametrize(
    "line",
    [
        "from scipy.signal import butter",
        "import scipy.signal; scipy.signal.butter",
        "from scipy.signal.windows import hann",
        "import scipy; scipy.signal.butter",
    ],
)
def test_who_wants_more_of_scipy_signal_inside_gets_all_of_it(line: str) -> None:
    run(f"""
with lean_imports():
    {line}
    real = sys.modules["scipy.signal"]
    assert real.butter
assert sys.modules["scipy.signal"] is real
""")


def test_what_is_loaded_already_stays() -> None:
    run("""
import scipy.signal
with lean_imports():
    assert sys.modules["scipy.signal"] is scipy.signal
assert sys.modules["scipy.signal"] is scipy.signal and scipy.signal.butter
""")


def test_an_error_leaves_nothing_behind() -> None:
    run("""
try:
    with lean_imports():
        import no_such_module
except ImportError:
    pass
assert "scipy.signal" not in sys.modules
assert gc.isenabled()
""")
