"""`pcm validate` and `pcm structure`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Pcm, Runs

MODEL = Path("config/models/vae.yaml")


def spoil(model: Path) -> str:
    """Break a copy of the model; returns the place of the fault."""
    good = (ROOT / MODEL).read_text()
    model.write_text(good.replace("input_dim: 784", "input_dim: a", 1))
    line = good[: good.index("input_dim: 784")].count("\n") + 1
    return f"{model.name}:{line}:"


def test_every_file_of_the_project_is_good(pcm: Pcm, project: Path) -> None:
    files = [str(path.relative_to(project)) for path in sorted(project.rglob("*.yaml"))]
    result = pcm("validate", *files)
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == len(files)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("small.yaml", "grid"),
        ("config/models/vae.yaml", "model"),
        ("config/data/mnist-train.yaml", "data"),
        ("config/trainer/default.yaml", "trainer"),
        ("config/sites/gres.yaml", "site"),
    ],
)
def test_the_kind_is_recognised_wherever_the_file_is(
    pcm: Pcm, project: Path, file: str, kind: str
) -> None:
    elsewhere = project / "x.yaml"
    elsewhere.write_text((project / file).read_text())
    assert pcm("validate", "x.yaml").stdout == f"x.yaml: a good {kind} file\n"


def test_a_class_of_ones_own_is_a_config_too(pcm: Pcm, project: Path) -> None:
    (project / "own.yaml").write_text("class_path: my_pkg.MyModule\ninit_args: {width: 3}\n")
    assert pcm("validate", "own.yaml").exit_code == 0


def test_the_config_of_an_experiment_is_a_config_too(pcm: Pcm, runs: Runs) -> None:
    config = runs.experiments[0].create_run_dir().config
    result = pcm("validate", str(config))
    assert result.exit_code == 0, result.output
    assert "a good experiment" in result.stdout


BROKEN = {
    "a wrong type": ("input_dim: 784", "input_dim: wide", "input_dim"),
    "a missing key": ("      input_dim: 784\n", "", "input_dim"),
    "an unknown key": ("input_dim: 784", "input_dim: 784\n      depth: 3", "depth"),
    "a misspelt key": ("input_dim: 784", "inpt_dim: 784", "did you mean 'input_dim'?"),
    "a misspelt link": ("dense_blocks/dense_block_stack", "dense_blocks/dense_stack", "dense_bl"),
    "a boolean for a number": ("input_dim: 784", "input_dim: true", "input_dim"),
    "a quoted number": ("input_dim: 784", 'input_dim: "784"', "input_dim"),
    "a key twice": ("input_dim: 784", "input_dim: 784\n      input_dim: 784", "input_dim"),
    "a tab": ("      input_dim: 784", "\t\tinput_dim: 784", "tab"),
    "an object tag": ("input_dim: 784", "input_dim: !!python/object:os.system 3", "tag"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_model_is_told_with_file_and_line(pcm: Pcm, project: Path, what: str) -> None:
    good, bad, told = BROKEN[what]
    text = (project / MODEL).read_text()
    assert good in text
    (project / "broken ü.yaml").write_text(text.replace(good, bad, 1))
    result = pcm("validate", "broken ü.yaml")
    assert result.exit_code == 3
    assert "broken ü.yaml:" in result.stderr
    assert told in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "empty"),
        ("- a\n- b\n", "not recognised"),
        ("just text\n", "not recognised"),
        ("colour: red\n", "not recognised"),
        ("x" * (1 << 20) + "xx", "too long"),
        ("a: &a [1]\n" + "b: *c\n", "alias"),
    ],
)
def test_what_is_no_config_at_all(pcm: Pcm, project: Path, content: str, told: str) -> None:
    (project / "odd.yaml").write_text(content)
    result = pcm("validate", "odd.yaml")
    assert result.exit_code == 3
    assert "odd.yaml" in result.stderr
    assert told in result.stderr


def test_a_file_that_says_too_little_is_taken_for_what_its_folder_holds(
    pcm: Pcm, project: Path
) -> None:
    (project / "config/models/list.yaml").write_text("- a\n")
    result = pcm("validate", "config/models/list.yaml")
    assert result.exit_code == 3
    assert "chain" in result.stderr


def test_a_folder_is_refused(pcm: Pcm) -> None:
    result = pcm("validate", "config")
    assert result.exit_code == 3
    assert "config: this is a folder" in result.stderr


def test_a_missing_file_is_answered_with_the_nearest(pcm: Pcm) -> None:
    result = pcm("validate", "smal.yaml")
    assert result.exit_code == 3
    assert "small.yaml" in result.stderr


def test_all_files_are_checked_and_all_faults_told(pcm: Pcm, project: Path) -> None:
    text = (project / MODEL).read_text()
    place = spoil(project / "one.yaml")
    (project / "two.yaml").write_text(text.replace("hidden_dims: [256]", "hidden_dims: 256"))
    result = pcm("validate", "one.yaml", "small.yaml", "two.yaml")
    assert result.exit_code == 3
    assert result.stdout == "small.yaml: a good grid file\n"
    assert place in result.stderr
    assert result.stderr.count("two.yaml:") == 2
    assert "3 faults in 2 of 3 files" in result.stderr


def test_a_grid_is_checked_with_its_base_files(pcm: Pcm, project: Path) -> None:
    place = spoil(project / MODEL)
    result = pcm("validate", "small.yaml")
    assert result.exit_code == 3
    assert place in result.stderr


def test_one_fault_of_two_grids_is_told_once(pcm: Pcm, project: Path) -> None:
    place = spoil(project / MODEL)
    (project / "same.yaml").write_text((project / "small.yaml").read_text())
    result = pcm("validate", "small.yaml", "same.yaml")
    assert result.stderr.count(place) == 1


def test_verdicts_for_programs(pcm: Pcm, project: Path) -> None:
    (project / "bad.yaml").write_text("defaults: {partition: 3}\ngpu_flag: none\n")
    result = pcm("validate", "small.yaml", "bad.yaml", "--json")
    assert result.exit_code == 3
    good, bad = json.loads(result.stdout)["files"]
    assert (good["kind"], good["faults"]) == ("grid", [])
    assert bad["kind"] == "site"
    assert {fault["line"] for fault in bad["faults"]} == {1, 2}


def test_a_structure_is_shown(pcm: Pcm) -> None:
    result = pcm("structure", "latent/posterior_gaussian")
    assert result.exit_code == 0
    assert "loss_coef_posterior_entropy: float" in result.stdout
    assert "n_latent_samples" in result.stdout


def test_all_structures_are_listed_and_can_be_shown(pcm: Pcm) -> None:
    paths = pcm("structure").stdout.split()
    assert {"model", "grid", "misc/cloner"} <= set(paths)
    assert all(pcm("structure", path).exit_code == 0 for path in paths)


def test_an_unknown_structure(pcm: Pcm) -> None:
    result = pcm("structure", "latent/posterior_gausian")
    assert result.exit_code == 5
    assert "latent/posterior_gaussian" in result.stderr
