"""What a checkout of pcm says that an image needs."""

from pathlib import Path

import pytest

from launch.image.project import Project

ROOT = Path(__file__).parents[4]


def names(project: Project) -> set[str]:
    """Distributions, without their versions."""
    return {line.split(">")[0].split("[")[0] for line in project.requirements()}


def test_an_image_can_train_and_has_the_trackers_clients() -> None:
    assert {"torch", "lightning", "typer", "mlflow-skinny", "wandb"} <= names(Project(ROOT))


@pytest.mark.parametrize(
    ("extras", "wanted"),
    [
        ('train = ["torch>=2", "pcm[neptune]"]\nneptune = ["neptune>=1"]', {"torch", "neptune"}),
        (
            'train = ["torch>=2"]\ntrackers = ["pcm-launch[w]"]\nw = ["wandb>=1"]',
            {"torch", "wandb"},
        ),
        ("", set()),
    ],
)
def test_checkouts_of_any_version_are_read(tmp_path: Path, extras: str, wanted: set[str]) -> None:
    text = '[project]\nname = "pcm"\ndependencies = ["rich>=1"]\n[project.optional-dependencies]\n'
    (tmp_path / "pyproject.toml").write_text(text + extras)
    assert names(Project(tmp_path)) == {"rich"} | wanted
