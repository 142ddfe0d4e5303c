import errno
from pathlib import Path

import pytest

from pcm.config.trackers import PLUGINS, is_tracker, plugins, requested
from pcm.errors import RefusedError
from pcm.plots.filenames import figure_file
from pcm.run_dir import RunDir
from pcm.secret_values import scrub
from pcm.tracking.events import EventWriter, LineTail
from pcm.tracking.flatten import flatten
from pcm.tracking.reasons import reason_of
from pcm.tracking.tracker import has_tracker, make_tracker
from tests.unit.tracking.fakes import Broken


def test_flatten_names_every_leaf() -> None:
    record = {"a": {"b c": 1, "d": [1, 2.5], "e": [{"f": None}, {"g": True}]}, "h": "ä", "i": {}}
    assert flatten(record, "config") == {
        "config/a/b c": 1,
        "config/a/d": "[1, 2.5]",
        "config/a/e/0/f": "null",
        "config/a/e/1/g": True,
        "config/h": "ä",
        "config/i": "{}",
    }


def test_what_a_disk_says_is_told_in_words() -> None:
    said = reason_of(OSError(errno.EROFS, "Read-only file system", "/data/tracker.lock"))
    assert said == "Read-only file system: /data/tracker.lock"
    assert reason_of(ConnectionError("no answer")) == "ConnectionError('no answer')"


def test_flatten_takes_what_json_does_not_know() -> None:
    assert flatten({"path": Path("x")}, "hyperparameters") == {"hyperparameters/path": '"x"'}


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/absolute",
        "a b'\"ä:*?<>|\n",
        "..",
        "x" * 300,
        "ä" * 300,
        "語" * 300,
        "",
        "//",
        "日本/語",
        "nul\0byte",
    ],
)
def test_any_figure_name_gives_a_file_that_stays_inside(tmp_path: Path, name: str) -> None:
    file = tmp_path / figure_file(name, 7)
    assert file.resolve().is_relative_to(tmp_path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")
    assert file.name.endswith("-step=7.png")


def test_different_names_never_share_a_file() -> None:
    names = ["a b", "a_b", "a:b", "a/b", "a//b c", "a/b_c", "x" * 300, "x" * 301, ".a", "a"]
    files = [figure_file(name, 1) for name in names]
    assert len(set(files)) == len(names)


def test_plain_names_stay_as_they_are() -> None:
    assert str(figure_file("val/latent/pca_scatter", 120)) == "val/latent/pca_scatter-step=120.png"


def test_secrets_of_the_environment_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "s3cret-token")
    monkeypatch.setenv("WANDB_API_KEY", "s3cret-token-longer")
    monkeypatch.setenv("SHORT_TOKEN", "no")
    text = scrub("no: s3cret-token-longer and s3cret-token at no.example")
    assert text == "no: ***WANDB_API_KEY*** and ***NEPTUNE_API_TOKEN*** at no.example"


def test_a_password_in_an_address_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:s3cret-word@mlflow.example")
    text = scrub("no route to https://me:s3cret-word@mlflow.example/api")
    assert text == "no route to https://me:***MLFLOW_TRACKING_URI***@mlflow.example/api"


@pytest.mark.parametrize(
    ("asked", "requests"),
    [
        (None, []),
        ("mlflow", [("mlflow", None)]),
        ({"name": "neptune", "project": "a/b"}, [("neptune", "a/b")]),
        (["csv", {"name": "wandb", "project": "p"}], [("csv", None), ("wandb", "p")]),
    ],
)
def test_trackers_are_asked_for_by_name_or_in_a_list(
    asked: object, requests: list[tuple[str, str | None]]
) -> None:
    found = [(request["name"], request["project"]) for request in requested(asked)]
    assert found == requests


def test_a_tail_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    tail = LineTail(path)
    assert list(tail.read()) == []
    path.write_bytes(b'{"a": 1}\n{"a": "\xc3')
    assert list(tail.read()) == [{"a": 1}]
    assert list(tail.read()) == []
    with path.open("ab") as stream:
        stream.write(b'\xa4"}\n[1]\nbroken\n{"a": 3}\n')
    assert list(tail.read()) == [{"a": "ä"}, {"a": 3}]


def test_events_of_a_killed_writer_do_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind": "figure", "na')
    events = EventWriter(path)
    events.text("checkpoints", 3, "a.ckpt")
    events.close()
    (event,) = LineTail(path).read()
    assert (event["key"], event["step"], event["text"]) == ("checkpoints", 3, "a.ckpt")


@pytest.mark.parametrize("tracker", [None, {}, {"name": "none"}, {"name": "csv"}])
def test_no_tracker_is_made_for_those_who_want_none(
    run_dir: RunDir, tracker: dict[str, str] | None
) -> None:
    assert make_tracker(run_dir, {"tracker": tracker}) is None
    assert not has_tracker({"tracker": tracker})


def test_a_tracker_of_ones_own_is_named_by_its_place(run_dir: RunDir) -> None:
    experiment = {"tracker": {"name": "tests.unit.tracking.fakes:Broken"}}
    assert has_tracker(experiment)
    assert isinstance(make_tracker(run_dir, experiment), Broken)


def test_another_package_adds_a_tracker_by_an_entry_point(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "elsewhere-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    entry = "mine = tests.unit.tracking.fakes:Broken"
    (package / "entry_points.txt").write_text(f"[{PLUGINS}]\n{entry}\n")
    assert not is_tracker("mine")
    monkeypatch.syspath_prepend(str(package.parent))
    plugins.cache_clear()
    try:
        assert is_tracker("mine")
        assert isinstance(make_tracker(run_dir, {"tracker": {"name": "mine"}}), Broken)
    finally:
        plugins.cache_clear()


@pytest.mark.parametrize("name", ["neptun", "no_such_package:Tracker", "pcm.tracking:Missing"])
def test_an_unknown_tracker_is_refused_by_name(run_dir: RunDir, name: str) -> None:
    with pytest.raises(RefusedError, match=name):
        make_tracker(run_dir, {"tracker": {"name": name}})


@pytest.mark.parametrize("line", ["raise SystemExit(3)", "raise ValueError(3)", "import no_such"])
def test_a_tracker_that_fails_at_its_import_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "failing_plugin.py").write_text(f"{line}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RefusedError, match=r"cannot import the tracker 'failing_plugin:Own': .*\w"):
        make_tracker(RunDir(tmp_path), {"tracker": {"name": "failing_plugin:Own"}})
