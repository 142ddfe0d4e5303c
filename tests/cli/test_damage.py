"""A damaged file is told with its path; everything else in the store is as ever."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from launch.grid import expand
from launch.store.markers import cancel
from launch.store.submissions import SubmissionDir
from pcm.run_dir import write_json
from tests.cli.conftest import GRID, Pcm, Runs, add_checkpoint

DEEP = b'{"a":' * 100_000

_HALF = re.compile(rb'": ?"')
"""Where texts begin."""

DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "empty": lambda _: b"",
    "torn": lambda content: content[: len(content) // 2],
    "garbage": lambda _: b"\xff\xfe\x00\xed\xa0\x80 garbage\n",
    "other types": lambda content: json.dumps(_other(json.loads(content))).encode(),
    "a list": lambda _: b"[1, null]\n",
    "half a letter": lambda content: _HALF.sub(rb"\g<0>\\ud800", content),
    "deep": lambda _: DEEP,
    "a folder": lambda _: None,
}


def _other(record: dict[str, Any]) -> dict[str, Any]:
    """The same keys with values of other types."""
    return {key: 7.5 if isinstance(value, str) else "seven" for key, value in record.items()}


@contextmanager
def damaged(path: Path, damage: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """A file with another content, or a folder in its place, until the block ends."""
    before = path.read_bytes()
    after = damage(before)
    path.unlink()
    if after is None:
        path.mkdir()
    else:
        path.write_bytes(after)
    try:
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.write_bytes(before)


@pytest.fixture
def store(runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    """The small sweep with every file that there may be, and another one that is done."""
    # Without Slurm, git and the like: only files are looked at here.
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    Path("other.yaml").write_text(GRID.replace("small", "other").replace("[0, 1]", "[7]"))
    runs.store.freeze(expand(Path("other.yaml")), details={"executor": "local"})
    others = Runs(runs.store, runs.store.experiments("other"))
    for index in range(len(others.experiments)):
        others.finish(index, **{"val/loss": 0.5})
    files = runs.fail(0, "it broke")
    write_json(files.supervisor(0), {"host": "h", "pid": 1, "process_started": "1"})
    write_json(files.progress, {"phase": "training", "epoch": 1, "step": 3, "time": 1.0})
    write_json(files.outcome(0), {"exit_code": 1, "signal": None, "killed": False})
    write_json(files.verdict, {"reason": "failed", "comes_back": False, "detail": ""})
    write_json(files.stop, {"by": "x", "reason": "interrupt", "time": 1.0})
    write_json(files.stopped, {"checkpoint": None, "step": 3, "epoch": 1})
    runs.finish(1, **{"val/loss": 0.25})
    run_dir = runs.experiments[1].run_dir
    run_dir.checkpoints.mkdir()
    add_checkpoint(run_dir.checkpoints, "epoch=0-step=10.ckpt", 10)
    write_json(run_dir.tracker, {"schema_version": 1, "trackers": {}})
    cancel(runs.store.root, runs.experiments[2].id)
    launch = runs.experiments[3].launch
    submission = SubmissionDir(launch.submissions / "abcdef")
    submission.path.mkdir(parents=True)
    write_json(submission.intent, {"array": [runs.experiments[3].id], "time": time.time()})
    write_json(submission.outcome, {"job_id": None, "reason": "full", "time": 1.0})
    write_json(launch.unsubmitted, {"ids": [runs.experiments[3].id], "reason": "full"})
    launch.refusals("7_0-0").mkdir(parents=True)
    write_json(launch.refusal("7_0-0"), {"message": "no", "is_held": False})
    runs.store.root.queues.mkdir()
    queue = {"host": "h", "pid": 1, "process_started": "1", "experiments": []}
    write_json(runs.store.root.queues / "a.json", queue)
    return runs


def _attempt(name: str) -> Callable[[Runs], Path]:
    return lambda runs: runs.experiments[0].run_dir.attempt(1).path / name


def _launch(name: str) -> Callable[[Runs], Path]:
    return lambda runs: runs.experiments[0].launch.path / name


def _root(name: str) -> Callable[[Runs], Path]:
    return lambda runs: next(runs.store.root.path.glob(name))


TOLD: dict[str, Callable[[Runs], Path]] = {
    **{f"{name}.json": _attempt(f"{name}.json") for name in ("attempt", "progress", "verdict")},
    **{f"{name}.json": _attempt(f"{name}.json") for name in ("stop", "outcome-0", "error-0")},
    **{f"{name}.json": _launch(f"{name}.json") for name in ("sweep", "base", "unsubmitted")},
    "intent.json": _launch("submissions/abcdef/intent.json"),
    "outcome.json": _launch("submissions/abcdef/outcome.json"),
    "queues": _root("queues/*.json"),
}
"""Files that `pcm status` reads, by what a test is called."""

QUIET: dict[str, Callable[[Runs], Path]] = {
    **{f"{name}.json": _attempt(f"{name}.json") for name in ("supervisor-0", "failed", "stopped")},
    "refused.json": _launch("jobs/refused-7/7_0-0.json"),
    "cancelled": _root("cancelled/*/*.json"),
    "finished.json": lambda runs: runs.experiments[1].run_dir.attempt(1).finished,
    "experiment.json": lambda runs: runs.experiments[0].run_dir.experiment,
    "tracker.json": lambda runs: runs.experiments[1].run_dir.tracker,
    "manifest": lambda runs: next(runs.experiments[1].run_dir.checkpoints.glob("*.ckpt.json")),
}
"""Files that it does not read: that they are there is enough, or another command tells."""


def run_all(pcm: Pcm, runs: Runs) -> dict[str, Any]:
    """Every command on the sweep that is whole; what they print."""
    other = next(each for each in runs.store.experiments("other"))
    ids = {each.id for each in runs.store.experiments("other")}
    listed = ask(pcm, "status", "--json")
    return {
        "status": [each for each in listed["experiments"] if each["id"] in ids],
        "results": ask(pcm, "results", "other", "--json"),
        "show": ask(pcm, "show", other.id, "--json"),
        "why": run(pcm, "why", other.id),
        "plan": ask(pcm, "plan", "other.yaml", "--json"),
        "launch": run(pcm, "launch", "other.yaml", "--executor", "local", "--yes"),
        "resume": run(pcm, "resume", other.id),
        "cancel": run(pcm, "cancel", "other", "--yes"),
    }


def run(pcm: Pcm, *words: str) -> str:
    result = pcm(*words)
    assert result.exit_code == 0, (words, result.output, result.exc_info)
    return result.stdout


def ask(pcm: Pcm, *words: str) -> Any:
    return json.loads(run(pcm, *words))


@pytest.mark.parametrize("kind", [*TOLD, *QUIET])
def test_whatever_is_damaged_the_rest_is_as_ever(pcm: Pcm, store: Runs, kind: str) -> None:
    path = (TOLD | QUIET)[kind](store)
    before = run_all(pcm, store)
    chosen = [*TOLD, *QUIET].index(kind) % len(DAMAGES)
    for index, (name, damage) in enumerate(DAMAGES.items()):
        if damage(path.read_bytes()) == path.read_bytes():
            continue
        with damaged(path, damage):
            listed = ask(pcm, "status", "--json")
            assert len(listed["experiments"]) == 6
            told = [each["path"] for each in listed.get("damaged", ())]
            assert (str(path) in told) == (kind in TOLD), (name, told)
            if index == chosen:
                run(pcm, "show", store.experiments[0].id)
                run(pcm, "why", store.experiments[1].id)
                assert run_all(pcm, store) == before
    assert "damaged" not in ask(pcm, "status", "--json")


@pytest.mark.parametrize("name", ["supervisor-0", "failed", "stopped", "outcome-0"])
@pytest.mark.parametrize("command", ["show", "why"])
def test_a_command_of_one_experiment_tells_of_all_its_records(
    pcm: Pcm, store: Runs, command: str, name: str
) -> None:
    path = _attempt(f"{name}.json")(store)
    with damaged(path, DAMAGES["torn"]):
        result = pcm(command, store.experiments[0].id)
    assert result.exit_code == 0
    assert f"damaged: {path}" in result.stderr


@pytest.mark.parametrize("damage", [*DAMAGES.values()], ids=[*DAMAGES])
def test_damaged_points_are_told_with_their_line(
    pcm: Pcm, store: Runs, damage: Callable[[bytes], bytes | None]
) -> None:
    before, points = run_all(pcm, store), store.experiments[0].launch.points

    def second_line(content: bytes) -> bytes:
        lines = content.splitlines()
        lines[1] = damage(lines[1]) or b""
        return b"\n".join([*lines, b""])

    identifier = store.experiments[1].id
    with damaged(points, second_line):
        assert run_all(pcm, store) == before
        result = pcm("status")
        assert result.stdout.startswith("5 experiments: ")
        assert f"damaged: {points}:2: " in result.stderr
        assert "; try: " in result.stderr
        for command in ("show", "why", "resume", "cancel"):
            result = pcm(command, identifier)
            assert result.exit_code in (4, 5)
            assert f"{points}:2" in result.stderr
            assert "unexpected" not in result.stderr


@pytest.mark.parametrize("name", ["empty", "torn", "garbage", "deep", "a folder"])
def test_a_damaged_file_of_points_hides_no_other(pcm: Pcm, store: Runs, name: str) -> None:
    before, points = run_all(pcm, store), store.experiments[0].launch.points
    with damaged(points, lambda content: DAMAGES[name](content[:-5])):
        assert run_all(pcm, store) == before
        assert f"damaged: {points}:" in pcm("status").stderr


def test_what_has_run_is_known_although_its_line_is_damaged(pcm: Pcm, store: Runs) -> None:
    with damaged(store.experiments[0].launch.points, lambda _: b"\n"):
        items = {
            each["id"]: each for each in ask(pcm, "plan", "small.yaml", "--json")["experiments"]
        }
        states = [items[each.id]["state"] for each in store.experiments]
    assert states == ["failed", "done", "cancelled", "new"]


@pytest.mark.parametrize("name", ["sweep.json", "base.json"])
def test_what_can_not_go_on_says_why(pcm: Pcm, store: Runs, name: str) -> None:
    path = store.experiments[0].launch.path / name
    for each, damage in DAMAGES.items():
        with damaged(path, damage):
            result = pcm("resume", store.experiments[0].id)
        assert result.exit_code == 4, each
        assert str(path) in result.stderr
        assert "try: " in result.stderr


def test_a_journal_is_read_as_far_as_it_is_whole(pcm: Pcm, store: Runs) -> None:
    journal = store.experiments[1].run_dir.metrics
    good = ask(pcm, "results", store.experiments[1].id, "--json")
    bad = [b"\xff\xfe", b'{"step": 11}', b"[1]", DEEP, b'{"resumed_from_step": "x"}', b"null"]
    values = b'{"attempt": 1, "step": 12, "epoch": 1, "time": 1.0, "values": {"val/loss": "low"}}'
    torn = b'{"attempt": 1, "step": 1'
    with damaged(journal, lambda content: content + b"\n".join([*bad, values, torn, b""])):
        result = pcm("results", store.experiments[1].id, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (0, good)
        lines = [line for line in result.stderr.splitlines() if line.startswith("damaged: ")]
        # What a kill leaves is no damage.
        assert [line.split(":")[2] for line in lines] == [str(2 + i) for i in range(7)]


def test_numbers_that_are_none(pcm: Pcm, store: Runs) -> None:
    files = store.attempt(3, started=1e300)
    for number in (b"1e999", b"-1e999", b"NaN", b"1" + b"0" * 4000, b"-1"):
        text = b'{"step": N, "epoch": N, "loss": N, "rate": N, "eta": N, "time": N}'
        files.progress.write_bytes(text.replace(b"N", number))
        for command in ("status", "show", "why"):
            run(pcm, command, store.experiments[3].id)
