"""What a version has left in its runs folder: kept as a fixture, and put back for a test."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OWN = HERE / "own"

RUNS, PROJECT, CHECKOUT = "@RUNS@", "@PROJECT@", "@CHECKOUT@"
PYTHON, SLURM = "@PYTHON@", "@SLURM@"
"""What a fixture has in place of paths of the machine where it was made."""

_BINARY = {".ckpt", ".pkl"}
"""Files that are copied as they are: a checkpoint's hash is in its manifest."""


@dataclass(frozen=True)
class Fixture:
    """One fixture, by its folder; README.md tells what is in it."""

    path: Path

    @property
    def name(self) -> str:
        """Version and kind, as `v0_1_0/own_locally`."""
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def runs(self) -> Path:
        """The runs folder as it is committed."""
        return self.path / "runs"

    @property
    def project(self) -> Path:
        """The grid file that was launched, and the config files that it names."""
        return self.path / "project"

    @property
    def left_alone(self) -> Path:
        """Journals of the same experiments when nobody stopped them."""
        return self.path / "left_alone"

    @property
    def expectations(self) -> Path:
        """What the version itself said of each experiment."""
        return self.path / "expected.json"

    @property
    def expected(self) -> dict[str, dict[str, Any]]:
        """The content of `expectations`, by the experiments' ids."""
        content: dict[str, dict[str, Any]] = json.loads(self.expectations.read_text())
        return content

    def put_back(self, folder: Path) -> None:
        """Make `folder` a project with this runs folder in it, as it would be on this machine."""
        shutil.copytree(self.project, folder)
        runs = folder / "runs"
        here = {RUNS: str(runs), PROJECT: str(folder)}
        rewrite(self.runs, runs, here)


def fixtures() -> list[Fixture]:
    """Those of all versions."""
    return [Fixture(path.parent) for path in sorted(HERE.glob("v*/*/expected.json"))]


def rewrite(source: Path, target: Path, words: Mapping[str, str]) -> None:
    """Copy a folder, and in its text files put other words for some, the first ones first."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in _BINARY:
            shutil.copyfile(path, copy)
        elif path.is_file():
            text = path.read_text()
            for word, other in words.items():
                text = text.replace(word, other)
            copy.write_text(text)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a journal, or the points of a launch."""
    return [json.loads(line) for line in file.read_text().splitlines()]
