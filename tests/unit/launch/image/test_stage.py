"""Two builds have one key exactly where they read the same."""

import os
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from launch.image.stage import Stage, fingerprint

STAGE = Stage({"image.def": b"Bootstrap: docker\n", "a": b"1"}, arguments={"base": "python"})


def test_the_key_is_the_same_for_the_same() -> None:
    reordered = {"a": b"1", "image.def": b"Bootstrap: docker\n"}
    assert replace(STAGE, files=reordered).key() == STAGE.key()


def test_the_key_changes_with_a_file_its_name_or_an_argument(tmp_path: Path) -> None:
    others = [
        replace(STAGE, files={**STAGE.files, "a": b"2"}),
        replace(STAGE, files={"image.def": STAGE.files["image.def"], "b": b"1"}),
        replace(STAGE, files={"image.def": STAGE.files["image.def"]}),
        replace(STAGE, arguments={"base": "python:3"}),
        replace(STAGE, arguments={}),
        replace(STAGE, links={"wheels": tmp_path}),
    ]
    assert len({stage.key() for stage in [STAGE, *others]}) == 1 + len(others)


@given(st.dictionaries(st.text(max_size=3), st.binary(max_size=3), max_size=3), st.data())
def test_no_two_sets_of_files_share_a_key(files: dict[str, bytes], data: st.DataObject) -> None:
    others = st.dictionaries(st.text(max_size=3), st.binary(max_size=3), max_size=3)
    other = data.draw(others)
    assert (Stage(files).key() == Stage(other).key()) == (files == other)


def test_a_link_counts_as_what_it_points_to(tmp_path: Path) -> None:
    wheels = tmp_path / "whëels, all"
    wheels.mkdir()
    (wheels / "a.whl").write_bytes(b"12")
    before = fingerprint(wheels)
    os.utime(wheels / "a.whl", (1, 1))
    assert fingerprint(wheels) != before
    (wheels / "b.whl").write_bytes(b"")
    both = fingerprint(wheels)
    (wheels / "b.whl").unlink()
    assert fingerprint(wheels) != both


def test_a_linked_file_counts_by_its_size_and_time(tmp_path: Path) -> None:
    image, link = tmp_path / "base.sif", tmp_path / "link.sif"
    image.write_bytes(b"1")
    link.symlink_to(image)
    before = fingerprint(link)
    image.write_bytes(b"123")
    assert fingerprint(link) != before


def test_a_folder_that_was_moved_is_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "file").write_bytes(b"1")
    before = fingerprint(folder)
    assert fingerprint(folder.rename(tmp_path / "two")) == before
