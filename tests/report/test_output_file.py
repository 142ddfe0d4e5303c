"""A file that somebody named for a command's result, and what may be there already."""

import os
from pathlib import Path

import pytest

from launch.report.output_file import write_output
from pcm.errors import RefusedError


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file, link = tmp_path / "elsewhere" / "page.html", tmp_path / "page.html"
    link.symlink_to("elsewhere/page.html")
    for text in ("there was none", "there was one"):
        write_output(link, text)
        assert link.is_symlink()
        assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, "ä page")
    assert os.read(reader, 100).decode() == "ä page"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to("missing/page.html")
    with pytest.raises(RefusedError, match="No such file"):
        write_output(tmp_path / "nowhere", "a page")
