"""A sweep over seeds of the small VAE, frozen but not launched, for benchmarks that run it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.executor import Executor
from launch.grid import expand
from launch.site import Site
from launch.store import Store
from launch.submit.images import with_image

CONFIG = Path(__file__).parents[1] / "config"


def freeze_sweep(
    folder: Path,
    experiments: int,
    overrides: Mapping[str, Any],
    image: Path | None = None,
    retries: int = 0,
) -> Path:
    """The runs root, in `folder`, of so many experiments with these overrides.

    Args:
        image: that they train in; None for the libraries that are here.
        retries: after a failure.
    """
    grid = {
        "name": "small",
        "base": {
            "model": str(CONFIG / "models" / "vae.yaml"),
            "data_train": str(CONFIG / "data" / "mnist-plain-train.yaml"),
            "data_val": str(CONFIG / "data" / "mnist-plain-test.yaml"),
            "trainer": str(CONFIG / "trainer" / "default.yaml"),
        },
        "set": dict(overrides),
        "grid": {"seed": [*range(experiments)]},
        "resources": {"nodes": 1, "tasks_per_node": 1, "retries": retries},
        "container": None if image is None else {"image": str(image.absolute())},
    }
    file = folder / "grid.yaml"
    file.write_text(json.dumps(grid))
    root = folder / "runs"
    Store(root).freeze(with_image(expand(file), Executor.LOCAL, Site(), root, lambda _: None))
    return root
