"""Every variable that the code reads is on the page of the environment, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "environment.md"


def read_by_the_code() -> set[str]:
    files = [path for folder in ("launch", "pcm") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in re.findall(r"\bPCM_[A-Z_]*[A-Z]", path.read_text())}


def test_the_page_names_the_variables_of_the_code() -> None:
    rows = re.findall(r"^\| `(PCM_[A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == read_by_the_code()
