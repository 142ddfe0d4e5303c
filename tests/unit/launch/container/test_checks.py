"""Binds that Apptainer takes from variables of its own."""

from pathlib import Path

import pytest

from launch.container import Container
from launch.container.checks import INHERITED_BINDS, missing_inherited_binds, require_binds
from pcm.errors import RefusedError


@pytest.fixture(autouse=True)
def no_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in INHERITED_BINDS:
        monkeypatch.delenv(name, raising=False)


def test_what_is_not_there_is_told_by_its_variable(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    variables = {
        "APPTAINER_BIND": f"{tmp_path}:/data:ro,{gone}:/x",
        "SINGULARITY_BINDPATH": str(gone),
        "APPTAINER_BINDPATH": str(tmp_path),
    }
    expected = {"APPTAINER_BIND": [str(gone)], "SINGULARITY_BINDPATH": [str(gone)]}
    assert missing_inherited_binds(variables) == expected
    assert missing_inherited_binds({"APPTAINER_BIND": ""}) == {}


def test_a_launch_is_refused_with_the_variables_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = Container(image=tmp_path)
    require_binds(container)
    monkeypatch.setenv("APPTAINER_BIND", str(tmp_path / "gone"))
    with pytest.raises(RefusedError, match=r"APPTAINER_BIND names what is not on .*gone") as caught:
        require_binds(container)
    assert "unset it" in str(caught.value)
