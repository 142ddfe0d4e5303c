"""A whole run of pcm in the calling process, for benchmarks that compare with it."""

import contextlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pcm.__main__ import main
from pcm.run_dir import RunDir, write_json, write_text


def run_whole(
    model: Any,
    data_train: Any,
    data_val: Any,
    trainer_kwargs: Mapping[str, Any],
    callbacks: Sequence[Any] = (),
    *,
    subsample_size: int | None = None,
) -> None:
    """Train one rank to the end, as `python -m pcm RUN_DIR` does."""
    trainer: dict[str, Any] = {
        "callbacks": [*callbacks],
        "num_nodes": None,
        "devices": None,
        "accelerator": "cpu",
        "kwargs": dict(trainer_kwargs),
    }
    config = {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": subsample_size,
        "world_size": 1,
        "model": model,
        "data_train": data_train,
        "data_val": data_val,
        "trainer": trainer,
    }
    record = {
        "schema_version": 1,
        "id": "0123456789",
        "name": "benchmark",
        "tags": [],
        "tracker": None,
        "starts_from": None,
    }
    with tempfile.TemporaryDirectory() as folder:
        run_dir = RunDir(Path(folder))
        write_text(run_dir.config, yaml.safe_dump(config))
        write_json(run_dir.experiment, record)
        code = main([folder])
    assert code == 0, f"the run ended with exit code {code}"


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Nothing that is printed inside is shown."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
