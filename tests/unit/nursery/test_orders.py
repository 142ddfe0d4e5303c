"""What a forked process takes on, and what it leaves to the one that it was forked from."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pcm.nursery.orders import Orders, take_on

held: list[tempfile.TemporaryDirectory[str]] = []
"""As a module has them that is loaded."""


def fork_one(folder: Path) -> None:
    """Make folders that are gone at the end, and fork a process that makes one, too."""
    made = tempfile.mkdtemp(dir=folder)
    atexit.register(shutil.rmtree, made)
    held.append(tempfile.TemporaryDirectory(dir=folder))
    pid = os.fork()
    if not pid:
        take_on(Orders([], {}, str(folder / "log")), set())
        held.append(tempfile.TemporaryDirectory(dir=folder))
        sys.exit()
    os.waitpid(pid, 0)
    left = sorted(each.path for each in os.scandir(folder) if each.is_dir())
    print(json.dumps([sorted([made, held[0].name]), left]))


def test_a_forked_process_removes_what_it_has_made_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(tmp_path)], capture_output=True, text=True, check=True
    )
    shared, left = json.loads(done.stdout)
    assert left == shared
    assert [each.name for each in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").read_text() == ""


if __name__ == "__main__":
    fork_one(Path(sys.argv[1]))
