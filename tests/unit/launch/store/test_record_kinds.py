"""Every small file of an attempt has a record, by which damage of it is told."""

import inspect
from pathlib import Path

from launch.store.record_kinds import KINDS
from pcm.run_dir import AttemptDir


def test_no_file_of_an_attempt_is_without_its_record() -> None:
    files, paths = AttemptDir(Path("1")), []
    for name, member in inspect.getmembers(AttemptDir):
        if isinstance(member, property):
            paths.append(getattr(files, name))
        elif inspect.isfunction(member) and [*inspect.signature(member).parameters] == [
            "self",
            "rank",
        ]:
            paths.append(member(files, 1))
    small = {
        path.stem.removesuffix("-1") for path in paths if getattr(path, "suffix", "") == ".json"
    }
    assert small == set(KINDS)
