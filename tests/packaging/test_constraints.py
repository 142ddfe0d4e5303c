"""What was tested is something that the project's own requirements allow."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def test_every_pinned_version_is_one_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    lists += project["project"]["optional-dependencies"].values()
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    asked = {Requirement(text) for texts in lists for text in texts}
    assert "filelock" in {each.name for each in asked}
    wrong = [
        f"{each} but {pins[each.name]}"
        for each in asked
        if each.name in pins and not each.specifier.contains(pins[each.name])
    ]
    assert wrong == []
