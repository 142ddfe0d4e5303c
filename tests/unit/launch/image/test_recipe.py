"""What goes into an image, and what asks for nonsense."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from launch.image.kinds import Compression, Kind
from launch.image.project import Project
from launch.image.recipe import environment_stage, image_stage
from launch.image.stage import DEFINITION
from pcm.config.check import check_experiment
from pcm.config.document import parse_document
from pcm.errors import RefusedError, UsageError

ROOT = Path(__file__).parents[4]
SECTIONS = re.compile(r"^%(\w+)$", re.MULTILINE)


@pytest.fixture
def project() -> Project:
    return Project.at(ROOT)


@pytest.mark.parametrize("kind", [Kind.GPU, Kind.CPU])
def test_an_environment_from_the_network_has_a_base_of_its_own(
    project: Project, kind: Kind
) -> None:
    stage = environment_stage(project, kind)
    assert stage.arguments == {}
    assert b"base=python:3.12-slim" in stage.files[DEFINITION]


def test_environments_of_all_kinds_differ(project: Project, tmp_path: Path) -> None:
    offline = environment_stage(project, Kind.OFFLINE, str(tmp_path), tmp_path)
    stages = [environment_stage(project, Kind.GPU), environment_stage(project, Kind.CPU), offline]
    assert len({stage.key() for stage in stages}) == 3


def test_a_base_is_a_file_here_or_a_name_on_docker_hub(project: Project, tmp_path: Path) -> None:
    base = tmp_path / "my bäse: 1,2.sif"
    base.write_bytes(b"")
    here = environment_stage(project, Kind.GPU, str(base))
    assert here.arguments == {"bootstrap": "localimage", "base": "base"}
    assert here.links == {"base": base}
    there = environment_stage(project, Kind.GPU, "python:3.11-slim")
    assert there.arguments == {"bootstrap": "docker", "base": "python:3.11-slim"}


@pytest.mark.parametrize(
    ("kind", "base", "wheels"),
    [
        (Kind.GPU, None, Path("wheels")),
        (Kind.OFFLINE, "/", None),
        (Kind.OFFLINE, None, Path("wheels")),
        (Kind.OFFLINE, "python:3.12-slim", Path("wheels")),
    ],
)
def test_nonsense_is_refused(
    project: Project, kind: Kind, base: str | None, wheels: Path | None
) -> None:
    with pytest.raises(UsageError):
        environment_stage(project, kind, base, wheels)


def test_every_file_of_a_definition_is_given_to_its_build(project: Project, tmp_path: Path) -> None:
    stages = [environment_stage(project, kind) for kind in (Kind.GPU, Kind.CPU)]
    stages += [environment_stage(project, Kind.OFFLINE, str(tmp_path), tmp_path)]
    stages += [image_stage(project, tmp_path, Compression.GZIP)]
    for stage in stages:
        text = stage.files[DEFINITION].decode()
        listed = text.split("%files\n")[1].split("\n\n")[0].splitlines()
        for source in (line.split()[0] for line in listed):
            assert any(name.split("/")[0] == source for name in stage.files), source


def test_every_argument_of_the_last_stage_has_a_value(project: Project, tmp_path: Path) -> None:
    stage = image_stage(project, tmp_path, Compression.GZIP)
    wanted = set(re.findall(r"{{ (\w+) }}", stage.files[DEFINITION].decode()))
    # The key is added by the build: it can't be a part of itself.
    assert wanted == {*stage.arguments, "key"}
    assert {"test", "runscript", "labels"} <= set(
        SECTIONS.findall(stage.files[DEFINITION].decode())
    )


def test_packing_and_testing_are_part_of_the_key(project: Project, tmp_path: Path) -> None:
    stages = [
        image_stage(project, tmp_path, Compression.GZIP),
        image_stage(project, tmp_path, Compression.ZSTD),
        image_stage(project, tmp_path, Compression.GZIP, test=False),
    ]
    assert len({stage.key() for stage in stages}) == 3
    assert [stage.options for stage in stages] == [(), (), ("--notest",)]


def test_requirements_are_spelt_out(project: Project) -> None:
    names = {re.split(r"[<>=\[]", line)[0] for line in project.requirements()}
    assert {"torch", "lightning", "neptune", "pyyaml"} <= names
    assert "pcm" not in names


def test_the_code_is_the_package_and_nothing_that_python_made(project: Project) -> None:
    code = project.code()
    assert {"code/pcm/__main__.py", "code/pcm/data/digits_sample.npz"} <= set(code)
    assert not [name for name in code if "__pycache__" in name or not name.startswith("code/pcm/")]


def test_the_experiment_of_one_step_is_a_good_one(project: Project) -> None:
    files = project.one_step()
    assert set(files) == {"one-step/config.yaml", "one-step/experiment.json"}
    config = parse_document(files["one-step/config.yaml"].decode(), "config.yaml").data
    assert check_experiment(config) == []
    assert json.loads(files["one-step/experiment.json"])["schema_version"] == 1


def test_a_commit_tells_whether_files_differ_from_it(tmp_path: Path) -> None:
    checkout = Project(tmp_path)
    assert checkout.commit() == "unknown"
    file = tmp_path / "file"
    file.write_text("1")
    for command in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *command], check=True)
    assert re.fullmatch(r"[0-9a-f]{40}", checkout.commit())
    file.write_text("2")
    assert checkout.commit().endswith("-modified")


def test_a_folder_without_definitions_is_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no containers"):
        Project.at(tmp_path)
