"""What a run directory says of its experiment."""

from typing import Any

from pcm.config.document import load_document
from pcm.errors import NotFoundError, RefusedError
from pcm.run_dir import SCHEMA_VERSION, RunDir, read_json


def read_experiment(run_dir: RunDir) -> tuple[dict[str, Any], dict[str, Any]]:
    """The experiment's record and its config.

    Raises:
        NotFoundError: this is no run directory.
        RefusedError: a newer pcm made it.
    """
    experiment = read_json(run_dir.experiment)
    if experiment is None or not run_dir.config.exists():
        raise NotFoundError(
            f"{run_dir.path} is no run directory: it has no experiment.json or no config.yaml",
            "pcm launch makes run directories",
        )
    if experiment["schema_version"] > SCHEMA_VERSION:
        raise RefusedError(
            f"{run_dir.path} was made by a newer pcm: its schema version is "
            f"{experiment['schema_version']}, and this pcm reads up to {SCHEMA_VERSION}",
            "train with that pcm; an image has its own, and `pcm image build` makes another",
        )
    config: dict[str, Any] = load_document(run_dir.config).data
    return experiment, config
