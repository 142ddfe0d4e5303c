"""Every environment variable of ours is on its page, and nothing else is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

VARIABLE = re.compile(r"\bPCM_[A-Z_]*[A-Z]\b")


def test_the_page_has_every_variable_that_the_code_reads() -> None:
    files = [file for room in ("launch", "pcm") for file in (ROOT / room).rglob("*.py")]
    in_code = {name for file in files for name in VARIABLE.findall(file.read_text())}
    page = (ROOT / "docs" / "environment.md").read_text()
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `PCM_")]
    assert set(rows) == in_code
    assert rows == sorted(rows)
