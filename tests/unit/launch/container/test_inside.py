"""What a look into an image finds, with a stand-in for Apptainer that runs this Python."""

import os
import sys
from pathlib import Path

import pytest

from launch.container import Container
from launch.container.checks import require_modules_inside, require_pcm_inside
from launch.container.settings import Bind
from pcm.errors import RefusedError

ROOT = Path(__file__).parents[4]
NEEDED = ("torch", "lightning")

APPTAINER = """#!{python}
import os, sys
variables = {{**os.environ, "PYTHONPATH": {pcm!r}}}
if "--mount" in sys.argv:
    variables["PYTHONPATH"] += os.pathsep + os.environ.get("APPTAINERENV_PYTHONPATH", "")
words = sys.argv[sys.argv.index("python") + 1:]
os.chdir("/")
print("a greeting of the site's")
# Without its site, it has none of the packages that are installed.
os.execve({python!r}, [{python!r}, "-S", *words], variables)
"""


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    """Has Python and pcm, and no more."""
    program = tmp_path / "bin" / "apptainer"
    program.parent.mkdir()
    program.write_text(APPTAINER.format(python=sys.executable, pcm=str(ROOT)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return Container(image=tmp_path / "x.sif")


def with_folder(image: Container, folder: Path, *modules: str) -> Container:
    """The same, which is shown a folder with these modules."""
    folder.mkdir()
    for module in modules:
        (folder / f"{module}.py").touch()
    binds = (Bind(str(folder), str(folder)),)
    return Container(image.image, binds=binds, environment={"PYTHONPATH": str(folder)})


def test_an_image_without_what_trains(image: Container) -> None:
    require_pcm_inside(image)
    with pytest.raises(RefusedError, match="can't train: it has no torch and no lightning"):
        require_pcm_inside(image, needed=NEEDED)


def test_a_bound_folder_may_have_it(image: Container, tmp_path: Path) -> None:
    require_pcm_inside(with_folder(image, tmp_path / "both", *NEEDED), needed=NEEDED)
    with pytest.raises(RefusedError, match="it has no lightning\n"):
        require_pcm_inside(with_folder(image, tmp_path / "one", "torch"), needed=NEEDED)


def test_modules_of_ones_own(image: Container, tmp_path: Path) -> None:
    bound = with_folder(image, tmp_path / "own", "mine")
    require_modules_inside(bound, None, {"mine"})
    with pytest.raises(RefusedError, match="has no module other"):
        require_modules_inside(bound, None, {"mine", "other"})
