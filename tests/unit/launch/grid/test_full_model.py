"""The grids that come with pcm, and points of the full model, checked link by link."""

from pathlib import Path

import pytest
import yaml

from launch.grid import expand
from pcm.config.check import check_experiment
from pcm.errors import ConfigError

CONFIG = Path(__file__).parents[4] / "config"
LR = "model.optimizers.0.kwargs.lr"


def write(tmp_path: Path, **entries: object) -> Path:
    base = {
        "model": str(CONFIG / "models" / "pcm-cvae.yaml"),
        "data_train": str(CONFIG / "data" / "mnist-train.yaml"),
        "data_val": str(CONFIG / "data" / "mnist-test.yaml"),
        "trainer": str(CONFIG / "trainer" / "default.yaml"),
    }
    path = tmp_path / "grid.yaml"
    path.write_text(yaml.safe_dump({"name": "full", "base": base, **entries}, sort_keys=False))
    return path


@pytest.mark.parametrize("path", sorted((CONFIG / "grids").glob("*.yaml")), ids=lambda p: p.name)
def test_the_grids_that_come_along_expand_without_a_word(path: Path) -> None:
    grid = expand(path)
    assert grid.points
    assert grid.warnings == ()
    assert grid.name


def test_points_are_checked_as_whole_configs_are(tmp_path: Path) -> None:
    grid = expand(write(tmp_path, grid={LR: [0.1, 0.2], "seed": [0, 1]}))
    assert len({point.id for point in grid.points}) == 4
    for point in grid.points:
        assert check_experiment(point.config) == []


def test_faults_deep_in_a_link_are_found_at_their_axis(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        grid={
            "seed": [0, 1, 2],
            "model.chain.prior.cfg.n_components": [10, "ten"],
            "model.chain.encoder.cfg.hidden_dims": [[512], [512, 0.5]],
        },
    )
    with pytest.raises(ConfigError) as caught:
        expand(path)
    found = {str(fault.key): fault for fault in caught.value.faults}
    assert set(found) == {
        "model.chain.prior.cfg.n_components",
        "model.chain.encoder.cfg.hidden_dims.1",
    }
    lines = path.read_text().splitlines()
    for key, axis in zip(sorted(found), ("hidden_dims", "n_components"), strict=True):
        line = found[key].line
        assert line is not None
        assert axis in lines[line - 1]
        assert "(in 6 points)" in found[key].problem


def test_what_no_longer_fits_together_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, grid={"model.optimizers.0.links": [["encoder"]]})
    with pytest.raises(ConfigError, match="decoder"):
        expand(path)
