"""A real Apptainer, somebody without privileges, what small images are made of, and a whole one.

All of it takes some minutes once, and is kept in `.cache`. Where Apptainer can't be had, the tests
fail and say so; they never skip.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.cluster.person import Person
from tests.container import tiny
from tests.container.apptainer import find_or_install
from tests.container.environment import environment_key, make_environment
from tests.container.inside import give_image
from tests.container.owner import Owner
from tests.container.system import make_system

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "container"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give whoever is the first to need an image the time to build it."""
    for item in items:
        if {"system", "torch_image"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(1500))


@pytest.fixture(scope="session")
def apptainer() -> Path:
    """The program; jobs find it where its folder is in their PATH."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "apptainer.lock"):
        try:
            return find_or_install(CACHE / "apptainer")
        except RuntimeError as error:
            pytest.fail(f"these tests need an Apptainer of their own: {error}")


@pytest.fixture(scope="session")
def session_owner(user: str, apptainer: Path) -> Iterator[Owner]:
    """The user with a folder for the session."""
    folder = Path(tempfile.mkdtemp(prefix="pcm-images-"))
    yield Owner(user, folder, apptainer)
    shutil.rmtree(folder)


@pytest.fixture
def owner(user: str, apptainer: Path) -> Iterator[Owner]:
    """The user with an empty folder, whose name a shell would trip over."""
    parent = Path(tempfile.mkdtemp(prefix="pcm-images-"))
    parent.chmod(0o755)
    folder = parent / "my “imåges” $HOME, it's: a;b"
    folder.mkdir()
    yield Owner(user, folder, apptainer)
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where all users may look."""
    path = Path(tempfile.mkdtemp(prefix="pcm-image-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def tiny_image(folder: Path, apptainer: Path, user: str) -> Path:
    """An image with a stand-in for training, built by an unprivileged user."""
    tiny.make_root(folder / "root")
    made = folder / "made"
    made.mkdir()
    shutil.chown(made, user)
    path = f"{apptainer.parent}:{os.environ['PATH']}"
    tiny.build(folder / "root", made / "tiny.sif", {"PATH": path, "HOME": str(made)}, user)
    return made / "tiny.sif"


@pytest.fixture
def inside(person: Person, apptainer: Path, tiny_image: Path) -> Person:
    """Somebody with Apptainer, and an image of a hostile name in the project folder."""
    give_image(person, apptainer, tiny_image)
    return person


@pytest.fixture(scope="session")
def system() -> Path:
    """A folder with an unpacked Debian that has Python; nothing of pcm."""
    folder = CACHE / "system"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "system.lock"):
        if not folder.exists():
            make_system(folder)
    return folder


@pytest.fixture(scope="session")
def torch_image(system: Path, session_owner: Owner) -> Path:
    """An image of this checkout that trains, built by `pcm image build`; nobody may change it.

    It is built again when the code or the environment of the tests changes.
    """
    environment = CACHE / f"environment-{environment_key()}"
    image = CACHE / "images" / "pcm.sif"
    image.parent.mkdir(exist_ok=True)
    with FileLock(CACHE / "image.lock"):
        if not environment.exists():
            make_environment(system, environment)
        session_owner.take(image.parent)
        built = session_owner.pcm(
            *("image", "build", str(image), "--environment", str(environment)),
            *("--compression", "zstd", "--project", str(ROOT)),
            timeout=900,
        )
    assert built.returncode == 0, built.stderr
    return image
