"""What `pcm image` refuses before Apptainer is asked for anything."""

from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Pcm


@pytest.fixture
def apptainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Apptainer that can't do a thing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "apptainer").write_text("#!/bin/sh\necho 'out of order' >&2\nexit 1\n")
    (folder / "apptainer").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize("words", [["build"], ["show", "pcm.sif"], ["verify", "pcm.sif"]])
def test_without_apptainer(pcm: Pcm, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = pcm("image", *words)
    assert result.exit_code == 4
    assert "there is no `apptainer` here" in result.output


@pytest.mark.usefixtures("apptainer")
@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["build"], 4, "is no checkout of pcm"),
        (["build", "gone/pcm.sif", "--project", str(ROOT)], 2, "there is no folder gone"),
        (["build", "--environment", "e.sif", "--project", str(ROOT)], 2, "no environment e.sif"),
        (
            ["build", "--environment", "e.sif", "--base", "b.sif", "--project", str(ROOT)],
            *(2, "neither --base nor --wheels"),
        ),
        (
            ["build", "--kind", "offline", "--wheels", "gone", "--project", str(ROOT)],
            *(2, "no folder of wheels gone"),
        ),
        (["build", "--kind", "offline", "--project", str(ROOT)], 2, "--wheels"),
        (["show", "gone.sif"], 5, "there is no image gone.sif"),
        (["verify", "gone.sif"], 5, "there is no image gone.sif"),
    ],
)
def test_nonsense(pcm: Pcm, words: list[str], exit_code: int, told: str) -> None:
    result = pcm("image", *words)
    assert result.exit_code == exit_code, result.output
    assert told in result.output


@pytest.mark.usefixtures("apptainer")
def test_a_failed_build_ends_with_the_last_words_of_apptainer(pcm: Pcm, project: Path) -> None:
    options = ("--project", str(ROOT), "--cache-dir", "cache")
    result = pcm("image", "build", "pcm.sif", *options)
    assert result.exit_code == 4
    assert result.output.endswith("its last words:\n  out of order\n")
    assert not (project / "pcm.sif").exists()
    assert not [*project.glob("cache/build-*"), *project.glob("cache/*.sif")]
