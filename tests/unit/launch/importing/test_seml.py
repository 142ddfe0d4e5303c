"""What SEML draws, and what its jobs ask for."""

from pathlib import Path

import pytest

from launch.grid import expand
from tests.unit.launch.importing.test_foreign_projects import written

DRAWN = """\
seml: {executable: "my train.py", description: a sweep}
slurm:
- {sbatch_options_template: GPU, sbatch_options: {mem: !remove, time: 1-00, --partition: gpu}}
- {sbatch_options: {time: 2-00}}
fixed: {epochs: 5, model: {kind: mlp, width: 3}}
grid: {lr.type: choice, lr.options: [0.1, 0.2]}
random:
  samples: 3
  seed: 7
  dropout: {type: uniform, min: 0.0, max: 0.5}
  decay: {type: loguniform, min: 0.001, max: 0.1}
  width: {type: randint, min: 3, max: 100, seed: 0}
  run: {type: randint_unique, min: 0, max: 9}
plain:
  fixed: {model: {width: !remove}}
more:
  random: {samples: 2, seed: 0, act: {type: choice, options: [relu, tanh]}}
"""


def test_what_seml_draws_from_a_seed(tmp_path: Path) -> None:
    sweep = written(tmp_path, "seml.yaml", DRAWN)
    plain, more = (expand(path) for path in sweep.grids)
    params = [point.config["run"]["params"] for point in plain.points]
    assert len(params) == 2 * 3
    assert params[0]["model"] == {"kind": "mlp"}
    # What NumPy draws after np.random.seed(7), and for the width after np.random.seed(0).
    drawn = [tuple(each[name] for name in ("dropout", "width", "run")) for each in params]
    assert drawn[:3] == [
        (0.038154144686978586, 47, 2),
        (0.3899593961200573, 50, 7),
        (0.21920461572044675, 67, 0),
    ]
    decays = (0.0014210736239935746, 0.036294229783964016, 0.007530407234027132)
    assert [each["decay"] for each in params[:3]] == pytest.approx(decays, rel=1e-15)
    assert len(more.points) == 2 * 2
    assert more.points[0].config["run"]["command"][1] == "my train.py"
    said = "\n".join(sweep.left)
    assert "random.act: SEML draws choices without a seed" in said
    for word in ("description", "sbatch_options_template", "more than one"):
        assert word in said
    assert "no mem" not in said
    asked = plain.points[0].resources.given()
    assert "mem" not in asked
    assert asked["partition"] == "gpu"
