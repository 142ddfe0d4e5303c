"""The run directory: the one interface between the host side and the training side.

Plain files, each with one writer, written aside and renamed. No torch here.
"""

from pcm.run_dir.files import (
    atomic_writer,
    create_json,
    fsync_folder,
    read_json,
    write_json,
    write_text,
)
from pcm.run_dir.journal import JournalWriter, Row, read_journal, write_metrics_table
from pcm.run_dir.paths import GPUS_ASKED, SCHEMA_VERSION, AttemptDir, RunDir

__all__ = [
    "GPUS_ASKED",
    "SCHEMA_VERSION",
    "AttemptDir",
    "JournalWriter",
    "Row",
    "RunDir",
    "atomic_writer",
    "create_json",
    "fsync_folder",
    "read_journal",
    "read_json",
    "write_json",
    "write_metrics_table",
    "write_text",
]
