"""A browser for the session, from the distribution's packages, and pages to look at in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.report.page.gathering import Gathering
from launch.report.page.html import page
from launch.status.looking import Looking
from launch.store import Experiment
from tests.report.browser import Browser, chromium
from tests.report.sweeps import fail, freeze, train

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
"""Waits for the tests beside, which may be installing Slurm or Apptainer."""

HOSTILE = '</script><img src=x onerror="document.title=1">'
"""A value of an axis that would be markup, were it not text."""

HOSTILE_METRIC = "val/<b onclick=1>ü\u2028</b>"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, installed where it is missing; where it can't be, the tests fail and say so."""
    program = _installed()
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run([*APT, *words], env=environment, check=False, stdout=subprocess.DEVNULL)
        program = _installed()
    if program is None:
        pytest.fail("these tests need Chromium: as root on Debian they install it")
    with chromium(program) as running:
        yield running


def _installed() -> str | None:
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def write_page(experiments: list[Experiment], target: Path) -> Path:
    """The page of some experiments."""
    data = Gathering(experiments[0].sweep, Looking(), None).gather(experiments)
    target.write_text(page(data))
    return target


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 24 points, hostile names among them, of which two have failed."""
    folder = tmp_path_factory.mktemp("small")
    experiments = freeze(
        folder,
        "small",
        grid={
            "model.init_args.lr": [1e-4, 1e-3, 1e-2],
            "model.init_args.activation": ["relu", HOSTILE],
            "seed": [0, 1, 2, 3],
        },
    )
    for index, experiment in enumerate(experiments):
        if index in (5, 17):
            fail(experiment, f"bad {HOSTILE} at {index}", f"Traceback\n{HOSTILE}")
        else:
            train(experiment, 40, ("val/loss", HOSTILE_METRIC, "train/loss"))
    return write_page(experiments, folder / "small.html")
