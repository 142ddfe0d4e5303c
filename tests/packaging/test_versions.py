"""The version stands in several files: everywhere the same."""

import re
import tomllib
from pathlib import Path

from pcm import __version__

ROOT = Path(__file__).parents[2]


def test_the_package_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_the_changelog_dates_it_and_nothing_later() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    released = [heading for heading in headings if heading[0] != "Unreleased"]
    assert released[0][0] == __version__
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in released)


def test_the_citation_agrees_with_the_changelog() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {__version__}\n" in citation
    date = re.search(r'^date-released: "(.+)"$', citation, re.M)
    assert date is not None
    assert f"[{__version__}] - {date[1]}" in (ROOT / "CHANGELOG.md").read_text()
