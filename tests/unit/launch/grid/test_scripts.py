"""Grids of scripts: their points, identities and faults."""

from pathlib import Path

import pytest

from launch.grid import Grid, expand
from launch.validate import check_file
from pcm.errors import ConfigError, PcmError
from pcm.scripts.script_process import ScriptProcess

GRID = """\
name: swept
run:
  command: [python, train.py, --lr, "{lr}", --seed, "{seed}"]
  params: {width: 3}
grid:
  run.params.lr: [1e-3, 1e-2]
  seed: [0, 1]
resources: {tasks_per_node: 2}
"""


def read(tmp_path: Path, text: str) -> Grid:
    (tmp_path / "grid.yaml").write_text(text)
    return expand(tmp_path / "grid.yaml")


def test_params_are_axes(tmp_path: Path) -> None:
    grid = read(tmp_path, GRID)
    assert [point.name for point in grid.points][:2] == [
        "swept-lr=0.001-seed=0",
        "swept-lr=0.001-seed=1",
    ]
    last = grid.points[-1]
    assert last.config["run"]["params"] == {"width": 3, "lr": 0.01}
    assert (last.seed, last.world_size) == (1, 2)
    assert last.changes == [(("run", "params", "lr"), 0.01)]


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("params: {width: 3}", "params: {width: 3}\n  stop_signal: USR1", True),
        ("name: swept", "name: other", True),
        ("width: 3", "width: 4", False),
        ("train.py", "other.py", False),
        ("tasks_per_node: 2", "tasks_per_node: 1", False),
        ("name: swept", "version: 2", False),
    ],
)
def test_what_an_experiment_is(tmp_path: Path, old: str, new: str, *, is_same: bool) -> None:
    ids = [point.id for point in read(tmp_path, GRID).points]
    others = [point.id for point in read(tmp_path, GRID.replace(old, new)).points]
    assert (ids == others) is is_same
    assert is_same or not set(ids) & set(others)


def test_a_param_without_the_way_to_it_is_shown_the_way(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(GRID.replace("run.params.lr", "width"))
    [fault] = check_file(tmp_path / "grid.yaml").faults[:1]
    assert (fault.problem, fault.hint) == ("no such place", "did you mean 'run.params.width'?")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"{lr}"', '"{lrr}"', 3, "no param is called 'lrr' (in 4 points)"),
        ('"{lr}"', '"{lr"', 3, "not a word of a command: "),
        ("[python, train.py", "[[python], train.py", 3, "wrong type"),
        ("width: 3}", "width: 3}\n  stop_signal: KILL", 5, "unknown signal"),
        ("width: 3}", "width: 3}\n  parms: {}", 5, "unknown key 'parms'"),
        ("run.params.lr", "model.lr", 6, "no such place"),
        ("run.params.lr", "run", 6, "no such place"),
        ("resources:", "subsample_size: 3\nresources:", 8, "unknown key 'subsample_size'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    (tmp_path / "grid.yaml").write_text(GRID.replace(old, new))
    checked = check_file(tmp_path / "grid.yaml")
    assert checked.kind == "grid"
    assert [fault.line for fault in checked.faults][:1] == [line], checked.faults
    assert said in checked.faults[0].problem


def test_a_command_that_is_one_text_is_told_as_its_words(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("run: {command: 'python train.py --lr {lr}'}\n")
    [fault] = check_file(tmp_path / "grid.yaml").faults
    assert fault.hint == 'write a list, e.g. [python, train.py, --lr, "{lr}"]'


def test_an_empty_command(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("run: {command: []}\n")
    [fault] = check_file(tmp_path / "grid.yaml").faults
    assert (fault.line, fault.problem) == (1, "an empty command")


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ('"", x', "no program"),
        ('" "', "no program"),
        (r'"a\0b"', "a word with a null character, which no command can have"),
    ],
)
def test_a_command_that_nothing_can_start(tmp_path: Path, word: str, problem: str) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text(f"run:\n  command: [{word}]\n")
    with pytest.raises(ConfigError) as caught:
        expand(path)
    (fault,) = caught.value.faults
    assert (fault.line, fault.key, fault.problem) == (2, "run.command.0", problem)


def test_a_param_that_no_command_can_have_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(PcmError, match=r"cannot start 'true' in .*null byte"):
        ScriptProcess(["true", "a\0b"], {}, tmp_path, hears_terminal=True)


@pytest.mark.parametrize(
    ("ranks", "command"),
    [
        (2, "sh, torchrun"),
        (1, "/opt/bin/torchrun, train.py"),
        (2, "/opt/bin/torchrun, --nproc_per_node=2, train.py"),
        (2, "python, -m, torch.distributed.run, train.py"),
    ],
)
def test_what_would_start_all_ranks_in_each_rank(tmp_path: Path, ranks: int, command: str) -> None:
    text = f"run: {{command: [{command}]}}\nresources: {{tasks_per_node: {ranks}}}\n"
    notes = [note for note in read(tmp_path, text).warnings if "starts ranks of its own" in note]
    is_meant = ranks > 1 and not command.startswith("sh")
    assert len(notes) == is_meant
    assert all(f"in each of the {ranks} that pcm starts" in note for note in notes)


def test_a_param_that_is_nearly_there_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    [note] = read(tmp_path, GRID + "set: {run.params.widht: 4}\n").warnings
    assert note.startswith("run.params.widht: no such param")
    assert note.endswith("did you mean 'width'?")
    # Any other is the script's own affair, which reads all of them.
    assert read(tmp_path, GRID + "set: {run.params.depth: 4, run.params.width: 5}\n").warnings == ()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        pytest.param("a" * 5_000, "no program 'aaa", id="a program of 5,000 letters"),
        pytest.param(f"python, {'a' * 5_000}.py", "no file 'aaa", id="a file of 5,000 letters"),
        ("train.py", "no program 'train.py' in your PATH; write [python, train.py] for the file"),
        ("./train.py", "'./train.py' may not be executed; write [python, ./train.py], or chmod +x"),
        ("python, trian.py", "no file 'trian.py' in {folder}; did you mean 'train.py'?"),
        ("sh, bin/go.sh", "no file 'bin/go.sh' in {folder}; it has to be where the script runs"),
        ('"python train.py --lr {lr}"', 'is no program; write [python, train.py, --lr, "{lr}"]'),
    ],
)
def test_what_will_not_start_is_a_note_with_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    [note] = read(tmp_path, f"run: {{command: [{command}], params: {{lr: 1}}}}\n").warnings
    assert told.replace("{folder}", str(tmp_path)) in note


@pytest.mark.parametrize(
    "command", ["python, train.py", "python, -m, train", 'sh, "{lr}.sh"', "ls"]
)
def test_what_will_start_is_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    text = f"run: {{command: [{command}], params: {{lr: 1}}}}\n"
    assert read(tmp_path, text).warnings == ()


def test_a_program_that_is_not_here_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").touch()
    assert read(tmp_path, GRID).warnings == ()
    assert read(tmp_path, GRID.replace("[python", "[sh")).warnings == ()
    [note] = read(tmp_path, GRID.replace("[python", "[no-such-program")).warnings
    assert "no program 'no-such-program' in your PATH" in note
    inside = GRID.replace("[python", "[no-such-program") + "container: {image: a.sif}\n"
    assert read(tmp_path, inside).warnings == ()
