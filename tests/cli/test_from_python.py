"""What `launch.api` answers is what the commands print, in a folder with a nasty name."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from launch import api
from pcm.errors import ConfigError, NotFoundError, PcmError, RefusedError, UsageError
from tests.cli.conftest import ROOT, Pcm, Runs
from tests.cli.test_launch import FakeRunner, runner

__all__ = ["runner"]

TRAINER = "max_epochs: ten\n"


def test_files_are_validated_as_by_the_command(pcm: Pcm, project: Path) -> None:
    (project / "wrong.yaml").write_text(TRAINER)
    good, wrong, gone = api.validate("small.yaml", project / "wrong.yaml", "gone.yaml")
    assert (good.kind, good.faults) == ("grid", ())
    assert [fault.line for fault in wrong.faults] == [1]
    assert gone.kind is None
    printed = pcm("validate", "wrong.yaml", "gone.yaml").stderr
    assert all(fault.problem in printed for each in (wrong, gone) for fault in each.faults)
    assert api.validate() == []


def test_structures_are_those_of_the_command(pcm: Pcm) -> None:
    assert api.structures() == pcm("structure").stdout.split()
    assert api.structure("model") == pcm("structure", "model").stdout.rstrip("\n")
    with pytest.raises(NotFoundError, match="did you mean 'model'"):
        api.structure("modl")


def test_logs_are_told_by_experiment_attempt_and_rank(pcm: Pcm, runs: Runs) -> None:
    first, second = runs.experiments[:2]
    for number, rank in ((1, 0), (2, 0), (2, 11), (2, 2)):
        files = first.run_dir.attempt(number)
        files.path.mkdir(parents=True, exist_ok=True)
        files.log(rank).write_bytes(f"attempt {number}, rank {rank} \xff\n".encode("latin-1"))
    assert [(log.id, log.attempt, log.rank) for log in api.logs(first.id)] == [
        (first.id, 2, rank) for rank in (0, 2, 11)
    ]
    [log] = api.logs("small", rank=0, attempt=1)
    assert log.text() == "attempt 1, rank 0 \N{REPLACEMENT CHARACTER}\n"
    assert log.path.read_bytes() == pcm("logs", first.id, "--attempt", "1").stdout_bytes
    assert api.logs(second.id) == []
    with pytest.raises(NotFoundError):
        api.logs("nothing")


def test_sites_and_the_one_that_holds(
    pcm: Pcm, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no site holds here"):
        api.site()
    assert not any(each.used for each in api.sites())
    monkeypatch.setenv("PCM_SITE", "gres")
    listed = json.loads(pcm("site", "list", "--json").stdout)["sites"]
    assert listed == [
        {"name": each.name, "file": str(each.file), "used": each.used} for each in api.sites()
    ]
    shown = json.loads(pcm("site", "show", "--json").stdout)
    assert api.site().entries == shown["entries"]
    assert (api.site().origin, api.site("gres").origin) == ("$PCM_SITE", None)
    with pytest.raises(UsageError, match="no site 'nowhere'"):
        api.site("nowhere")


def test_the_site_and_the_settings_hold_as_for_a_command(
    project: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project / "own"))
    (project / "own" / "pcm").mkdir(parents=True)
    (project / "own" / "pcm" / "config.yaml").write_text("tracker: tensorboard\nsite: gres\n")
    api.launch("small.yaml", executor="local")
    [sweep] = map(json.loads, (each.read_text() for each in project.glob("runs/sweeps/*/*/sw*")))
    assert sweep["tracker"]["name"] == "tensorboard"
    monkeypatch.setenv("PCM_SITE", "nowhere")
    with pytest.raises(UsageError, match=r"no site 'nowhere', which \$PCM_SITE names"):
        api.plan("small.yaml")


def test_one_experiment_is_trained_as_by_the_command(
    pcm: Pcm, project: Path, runner: FakeRunner
) -> None:
    files: Any = {"data_train": Path("mnist-plain-train.yaml"), "data_val": "mnist-plain-test.yaml"}
    done = api.train("vae.yaml", **files, name="trial", seed=3, tags=["one", "two"])
    [line] = api.status("trial")
    assert done.completion is not None
    assert set(done.completion.statuses) == {line.id}
    again = pcm(
        *("train", "--model-cfg", "vae.yaml", "--data-train", "mnist-plain-train.yaml"),
        *("--data-val", "mnist-plain-test.yaml", "--seed", "3", "--experiment-name", "same"),
    )
    assert again.exit_code == 0
    # What decides an experiment's results is the same, so it is the same experiment.
    assert [each.id for each in api.status()] == [line.id]
    with pytest.raises(UsageError, match="needs an experiment"):
        api.train("vae.yaml", **files, checkpoint="last")
    with pytest.raises(NotFoundError):
        api.train("vae.yaml", **files, checkpoint_of="feedbeef")


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"project": "vaes", "tracker": "none"}, "project is for a tracker"),
        ({"project": "vaes", "tracker": "csv"}, "tracker='neptune', tracker='wandb' or"),
        ({"checkpoint": "last"}, "checkpoint needs an experiment\n  try: add checkpoint_of"),
        ({"resources": {"nodes": "two"}}, "resources['nodes']: not understood"),
        ({"resources": {"sbatch": {"array": "1"}}}, "resources['sbatch']: this option"),
        ({"data_val": "nine.yaml"}, "train: no such file"),
        ({"site": "nowhere"}, "no site 'nowhere'"),
        ({"tracker": "abacus"}, "no tracker is called 'abacus'"),
    ],
)
def test_what_is_wrong_with_a_call_is_told_in_its_words(
    project: Path, runner: FakeRunner, wishes: dict[str, Any], told: str
) -> None:
    files = {"data_train": "mnist-plain-train.yaml", "data_val": "mnist-plain-test.yaml"}
    with pytest.raises(PcmError) as caught:
        api.train("vae.yaml", **{**files, **wishes})
    assert told in str(caught.value)
    assert "--" not in str(caught.value)


def test_overrides_of_a_call_are_named_as_such(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"^overrides: model.nowhere.at.all: 'model' has no"):
        api.plan("small.yaml", overrides={"model.nowhere.at.all": 1})
    with pytest.raises(ConfigError, match=r"^overrides: modle.lr: no such place"):
        api.launch("small.yaml", overrides={"modle.lr": 1}, executor="local")
    with pytest.raises(ConfigError, match=r"^resources\['time'\]: not understood"):
        api.plan("small.yaml", resources={"time": "an age"})


def test_another_thread_is_refused(project: Path, runner: FakeRunner) -> None:
    with ThreadPoolExecutor(1) as threads:
        launched = threads.submit(api.launch, "small.yaml", executor="local")
        with pytest.raises(RefusedError, match="main thread alone"):
            launched.result()
    assert runner.calls == []


def test_images_need_apptainer_and_a_checkout(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "bin"
    folder.mkdir()
    (folder / "apptainer").write_text("#!/bin/sh\nexit 1\n")
    (folder / "apptainer").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with pytest.raises(NotFoundError, match="no image"):
        api.show_image("gone.sif")
    with pytest.raises(NotFoundError, match="no image"):
        api.verify_image(Path("gone.sif"))
    with pytest.raises(RefusedError, match="is no checkout"):
        api.build_image("pcm.sif")
    with pytest.raises(UsageError, match="no folder of wheels gone"):
        api.build_image("pcm.sif", kind="offline", wheels="gone", project=ROOT)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RefusedError, match="there is no `apptainer` here"):
        api.build_image("pcm.sif")
