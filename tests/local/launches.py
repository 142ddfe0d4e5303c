"""Frozen launches for tests, without a grid file."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from launch.store import Experiment, LaunchDir
from pcm.run_dir import write_json


def make_launch(
    root: Path, names: Sequence[str] = ("only",), world_size: int = 1, gpus: int = 0
) -> list[Experiment]:
    """Experiments of one launch, frozen under `root`, in the order of their names."""
    launch = LaunchDir(root / "sweeps" / "a sweep" / "20260101-000000-000000-abcd")
    launch.path.mkdir(parents=True)
    shared: dict[str, object] = {
        "tags": [],
        "tracker": None,
        "pcm_version": "0",
        "code": None,
        "starts_from": None,
    }
    write_json(launch.sweep, shared)
    sections = ("model", "data_train", "data_val", "trainer")
    write_json(launch.base, {section: [{}] for section in sections})
    lines = [json.dumps(_point(name, sections, world_size, gpus)) for name in names]
    launch.points.write_text("\n".join(lines) + "\n")
    return [Experiment(launch, record) for record in launch.point_records()]


def _point(name: str, sections: Sequence[str], world_size: int, gpus: int) -> dict[str, object]:
    identity = hashlib.sha256(name.encode()).hexdigest()
    ranks = {"gpus_per_node": gpus} if gpus else {"tasks_per_node": world_size}
    return {
        "id": identity[:10],
        "name": name,
        "identity": identity,
        "seed": 0,
        "subsample_size": None,
        "world_size": world_size,
        "overrides": {},
        "base": dict.fromkeys(sections, 0),
        "changes": [],
        "resources": {"nodes": 1, **ranks},
    }
