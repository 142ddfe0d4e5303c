import resource
from pathlib import Path

import pytest

from pcm.tracking.events import EventWriter, LineTail


def test_what_could_not_be_written_is_written_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = EventWriter(path)
    events.text("checkpoints", 1, "a.ckpt")
    size = path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            events.text("checkpoints", 2, "b.ckpt")
        with pytest.raises(OSError, match="File too large"):
            events.sync()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    events.sync()
    assert [event["text"] for event in LineTail(path).read()] == ["a.ckpt", "b.ckpt"]
    events.close()
