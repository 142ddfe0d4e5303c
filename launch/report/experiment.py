"""All there is to know of one experiment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from launch.damage import whole
from launch.report.efficiency import percent_text
from launch.report.results import shown_metrics
from launch.report.table import Column, Table, table
from launch.results.columns import rounded
from launch.results.rows import last_metrics
from launch.results.usage import used_by
from launch.status.history import ends
from launch.status.state import Status
from launch.store import Experiment
from launch.store.named_checkpoints import manifest_records
from launch.store.records import (
    found_values,
    newest_attempt,
    notice_damaged,
    read_record,
    unkept_attributes,
)
from launch.text import duration, minute, number
from pcm.run_dir import AttemptDir

ATTEMPT_COLUMNS = (
    Column("attempt", number=True),
    Column("started"),
    Column("host", fold=True),
    Column("ranks", number=True),
    Column("end", fold=True),
)


def experiment_record(experiment: Experiment, status: Status) -> dict[str, Any]:
    """What `pcm show --json` prints; the text for people is made of it."""
    notice_damaged(experiment)
    run_dir = experiment.run_dir
    step, metrics = last_metrics(run_dir.metrics)
    newest = newest_attempt(run_dir)
    return {
        "id": experiment.id,
        "name": experiment.name,
        "sweep": experiment.sweep,
        "launch": experiment.launch.id,
        "identity": experiment.identity,
        "tags": (whole(experiment.launch.read_record()) or {}).get("tags", []),
        "world_size": experiment.world_size,
        "overrides": dict(experiment.overrides),
        "run_dir": str(run_dir.path),
        "tracker": read_record(run_dir.tracker) or None,
        "status": asdict(status),
        "attempts": [attempt_record(files, end) for files, end in ends(experiment, status)],
        "checkpoints": manifest_records(run_dir),
        "step": step,
        "metrics": metrics,
        "found": found_values(run_dir),
        "not_kept": [] if newest is None else unkept_attributes(newest),
        "data_wait": rounded(used_by(experiment).data_percent, 1),
    }


def attempt_record(attempt: AttemptDir, end: str) -> dict[str, Any]:
    """How one attempt began and ended.

    Args:
        end: in a few words.
    """
    facts = read_record(attempt.attempt)
    return {
        "number": attempt.number,
        "host": facts.get("host"),
        "started": facts.get("started"),
        "world_size": facts.get("world_size"),
        "end": end,
    }


def headlines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of what is said in one line each."""
    status, progress = record["status"], record["status"]["progress"] or {}
    facts = [
        ("id", record["id"]),
        ("sweep", record["sweep"]),
        ("state", ": ".join(filter(None, [status["state"], status["detail"]]))),
        ("ranks", str(record["world_size"])),
        ("step", number(record["step"])),
        ("left", duration(progress.get("eta")) if status["state"] == "running" else ""),
        ("waited", f"{wait} of the time for data" if (wait := _wait(record)) else ""),
        ("tags", ", ".join(record["tags"])),
        ("folder", record["run_dir"]),
        ("checkpoint", record["checkpoints"][-1]["file"] if record["checkpoints"] else ""),
        ("found", ", ".join(f"{name} {value:.6g}" for name, value in record["found"].items())),
        ("not kept", ", ".join(record["not_kept"])),
        *((path, json.dumps(value)) for path, value in record["overrides"].items()),
        *(
            (key, number(record["metrics"][key]))
            for key in shown_metrics(sorted(record["metrics"]))
        ),
    ]
    return [(label, text) for label, text in facts if text]


def _wait(record: Mapping[str, Any]) -> str:
    return percent_text(record["data_wait"])


def attempts_table(attempts: Sequence[Mapping[str, Any]]) -> Table:
    """A row an attempt."""
    return table(ATTEMPT_COLUMNS, map(_attempt_row, attempts))


def _attempt_row(attempt: Mapping[str, Any]) -> list[str]:
    return [
        str(attempt["number"]),
        minute(attempt["started"]),
        attempt["host"] or "",
        number(attempt["world_size"]),
        attempt["end"] or "",
    ]
