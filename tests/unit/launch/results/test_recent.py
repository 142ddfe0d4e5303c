"""The last losses of a journal, from its end alone."""

import json
from pathlib import Path

from launch.results.recent import BYTES, recent_losses
from pcm.run_dir import JournalWriter


def test_losses_are_those_of_training_by_any_of_their_names(tmp_path: Path) -> None:
    journal = tmp_path / "metrics.jsonl"
    writer = JournalWriter(journal, 1, None)
    writer.append(1, 0, 0.0, {"train_loss": 3.0})
    writer.append(2, 0, 0.0, {"val/loss": 9.0})
    writer.append(3, 0, 0.0, {"loss": 1.0, "train/loss": 2.0})
    writer.close()
    journal.write_text(journal.read_text() + '{"attempt": 1, "ste')
    assert recent_losses(journal) == [3.0, 2.0]
    assert recent_losses(tmp_path / "none") == []


def test_of_a_long_journal_the_end_alone_is_read(tmp_path: Path) -> None:
    journal = tmp_path / "metrics.jsonl"
    row = json.dumps({"attempt": 1, "values": {"loss": 1.0}})
    journal.write_text("\n".join(["no row", *[row] * 50_000]) + "\n")
    found = recent_losses(journal)
    assert len(found) * (len(row) + 1) <= BYTES
    assert len(found) > 100
