"""Which site holds, and who says so."""

import json
import shutil
from pathlib import Path

import pytest

from launch.site import lookup
from pcm.errors import ExitCode
from tests.cli.conftest import Pcm


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings, which are not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "own"))
    (project / "own" / "pcm").mkdir(parents=True)
    return project / "own" / "pcm" / "config.yaml"


@pytest.fixture
def admins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The administrator's folder of sites."""
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(lookup, "ADMIN_FOLDER", folder)
    return folder


def used(pcm: Pcm) -> tuple[str | None, str | None, list[str]]:
    listed = json.loads(pcm("site", "list", "--json").stdout)
    files = [Path(each["file"]).name for each in listed["sites"] if each["used"]]
    return listed["site"], listed["from"], files


def test_the_variable_wins_over_the_settings(
    pcm: Pcm, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert used(pcm) == (None, None, [])
    settings.write_text("site: gres\n")
    assert used(pcm) == ("gres", str(settings), ["gres.yaml"])
    monkeypatch.setenv("PCM_SITE", "modules")
    assert used(pcm) == ("modules", "$PCM_SITE", ["modules.yaml"])
    assert "modules is used, from $PCM_SITE" in pcm("site", "list").stdout


def test_the_flag_wins_over_both_and_none_turns_it_off(
    pcm: Pcm, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text("site: gres\n")
    shown = pcm("launch", "small.yaml", "--dry-run").stdout
    assert "--partition=gpu" in shown
    monkeypatch.setenv("PCM_SITE", "no-accounting")
    assert "--partition=debug" in pcm("launch", "small.yaml", "--dry-run").stdout
    flagged = pcm("launch", "small.yaml", "--dry-run", "--site", "modules").stdout
    assert "--partition=batch" in flagged
    assert "--partition" not in pcm("launch", "small.yaml", "--dry-run", "--site", "none").stdout


def test_an_administrators_site_is_found_by_its_name(pcm: Pcm, admins: Path) -> None:
    (admins / "center.yaml").write_text("defaults: {partition: theirs}\n")
    shutil.copy(admins / "center.yaml", admins / "gres.yaml")
    shown = pcm("launch", "small.yaml", "--dry-run", "--site", "center").stdout
    assert "--partition=theirs" in shown
    rows = {
        each["name"]: each["file"]
        for each in json.loads(pcm("site", "list", "--json").stdout)["sites"]
    }
    assert rows["center"] == str(admins / "center.yaml")
    assert Path(rows["gres"]).parent != admins


def test_a_site_is_shown_with_its_file(pcm: Pcm, settings: Path) -> None:
    assert pcm("site", "show").exit_code == ExitCode.USAGE
    settings.write_text("site: typed-gpus\n")
    shown = pcm("site", "show").stdout
    assert f"from {settings}" in shown
    assert "gpu_type: a100" in shown
    record = json.loads(pcm("site", "show", "gres", "--json").stdout)
    assert record["entries"]["defaults"]["mem_per_gpu"] == "32G"
    assert record["from"] is None
    assert pcm("site", "show", "nowhere").exit_code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["status", "launch small.yaml --dry-run", "site list"])
def test_a_fault_of_the_settings_has_file_line_and_key(
    pcm: Pcm, settings: Path, command: str
) -> None:
    settings.write_text("# mine\nrun_dir: x\n")
    refused = pcm(*command.split())
    assert refused.exit_code == ExitCode.CONFIG_INVALID
    assert f"{settings}:2: run_dir: unknown key" in refused.stderr
    assert "did you mean 'runs_dir'?" in refused.stderr
    assert pcm("validate", str(settings)).exit_code == ExitCode.CONFIG_INVALID


@pytest.mark.parametrize("command", ["plan small.yaml", "site list", "site show"])
def test_a_site_that_is_not_there_is_told_with_who_names_it(
    pcm: Pcm, settings: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    settings.write_text("site: nowhere\n")
    refused = pcm(*command.split())
    assert refused.exit_code == ExitCode.USAGE
    assert f"no site 'nowhere', which {settings} names" in refused.stderr
    monkeypatch.setenv("PCM_SITE", "neither")
    assert "no site 'neither', which $PCM_SITE names" in pcm(*command.split()).stderr


@pytest.mark.parametrize("key", ["site", "runs_dir", "account"])
@pytest.mark.parametrize("value", ['""', '" "', '"a\\nb"', '"\\0a"'])
def test_what_names_nothing_is_a_fault_of_the_settings(
    pcm: Pcm, settings: Path, key: str, value: str
) -> None:
    settings.write_text(f"# mine\n{key}: {value}\n")
    for arguments in (("validate", str(settings)), ("plan", "small.yaml")):
        refused = pcm(*arguments)
        assert refused.exit_code == ExitCode.CONFIG_INVALID
        assert f"{settings}:2: {key}: not understood" in refused.stdout + refused.stderr


def test_settings_of_comments_alone_say_nothing(pcm: Pcm, settings: Path) -> None:
    settings.write_text("# site: gres\n\n")
    assert used(pcm) == (None, None, [])


def test_settings_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    from launch.user_settings import settings_file

    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/me")
    assert settings_file() == Path("/home/me/.config/pcm/config.yaml")


def test_a_users_tracker_holds_where_the_grid_has_none(pcm: Pcm, settings: Path) -> None:
    from launch.user_settings import read_settings
    from launch.wishes import Wishes

    settings.write_text("tracker: csv\nnotify: [me@example.org]\n")
    assert read_settings().notify == ("me@example.org",)
    grid = Path("small.yaml")
    assert Wishes(settings=read_settings()).expand(grid).tracker == {"name": "csv", "project": None}
    assert Wishes(tracker="none", settings=read_settings()).expand(grid).tracker is None
    grid.write_text(grid.read_text() + "tracker: {name: neptune, project: a/b}\n")
    tracker = Wishes(settings=read_settings()).expand(grid).tracker
    assert tracker == {"name": "neptune", "project": "a/b"}


def test_a_working_directory_that_is_gone_is_named(
    pcm: Pcm, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "soon gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    refused = pcm("status")
    monkeypatch.chdir(project)
    assert refused.exit_code == ExitCode.REFUSED
    assert "working directory is gone" in refused.stderr
