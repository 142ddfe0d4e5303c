"""What people's modules and loaders keep to themselves is there again after a resume."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir.records import UnkeptRecord
from pcm.run_dir.typed_json import read
from tests.resume.in_process import assert_resumes_the_same, train
from tests.resume.runs import assert_same_end, make_run, run, start


def kind(name: str, **arguments: Any) -> dict[str, Any]:
    return {"class_path": f"own_kinds.{name}", "init_args": arguments}


def loaders(name: str = "Data", **arguments: Any) -> dict[str, Any]:
    return {"class_path": f"own_loaders.{name}", "init_args": arguments}


RELOADING = {"reload_dataloaders_every_n_epochs": 1}
ACCUMULATING = {"accumulate_grad_batches": 3, "val_check_interval": 2}
EVERY_SECOND = {"reload_dataloaders_every_n_epochs": 2}
SILENT = ("Curriculum", "Shadowing")


@pytest.mark.parametrize(
    ("model", "stops"),
    [
        ("Plateau", ["step 14", "validation 20"]),
        ("Packing", ["step 14", "epoch 20"]),
        ("Swapping", ["validation 20"]),
        ("SwappingEarly", ["validation 20"]),
        ("Averaged", ["validation 20"]),
        ("Annealed", ["step 14"]),
        ("Accumulating", ["step 14"]),
        ("Stochastic", ["step 14"]),
        ("Outputs", ["step 14"]),
        ("Recurrent", ["step 14"]),
        ("Balanced", ["step 14"]),
        ("Finetuned", ["step 14", "epoch 20"]),
        ("Wrapped", ["step 14"]),
        ("Skipping", ["step 9"]),
        ("GatheringGradients", ["step 13", "validation 20", "epoch 20"]),
        ("LoggingNowAndThen", ["step 14", "step 16", "validation 20"]),
        ("HalfFrozen", ["step 14", "validation 20"]),
    ],
)
def test_modules(model: str, stops: list[str], tmp_path: Path) -> None:
    assert_resumes_the_same(tmp_path, stops, model=kind(model), data_train=loaders())


@pytest.mark.parametrize(
    ("model", "data", "stops", "kwargs"),
    [
        ("Net", loaders(persistent=True, noisy=True), ["step 14", "epoch 20"], {}),
        ("Net", loaders("Gaps"), ["step 17"], {}),
        ("Net", loaders("EndlessData"), ["step 14"], {"limit_train_batches": 10}),
        ("Net", loaders("OwnGenerators"), ["step 14"], {}),
        ("Net", loaders("Stream"), ["step 14"], {}),
        ("Net", loaders("OwnPosition"), ["step 14"], {}),
        (
            "Net",
            loaders("Subsets"),
            ["epoch 10", "step 14"],
            RELOADING,
        ),
        ("Net", loaders("Subsets"), ["step 14"], EVERY_SECOND),
        ("Net", loaders(), ["epoch 10", "step 14"], {"precision": "64-true"}),
        ("Iterating", loaders(), ["step 14"], {}),
        ("KnowingTheEpoch", loaders("EpochStream"), ["epoch 10", "step 14"], {}),
        ("Net", loaders("Checked"), ["epoch 10", "validation 20"], {}),
        ("Net", loaders("Checked"), ["epoch 10", "step 14"], {"num_sanity_val_steps": 1}),
        ("Net", loaders("Checked"), ["step 14", "step 24"], RELOADING),
        ("Net", loaders("Checked"), ["epoch 20"], {"check_val_every_n_epoch": 2, **EVERY_SECOND}),
        ("Net", loaders(), ["validation 2", "validation 14"], ACCUMULATING),
        ("Net", loaders("CheckedByStream"), ["validation 20"], {}),
        ("CountingValidations", loaders(), ["step 4"], {"num_sanity_val_steps": 2}),
        ("Impatient", loaders(), ["epoch 50"], {"max_epochs": 8, "min_epochs": 6}),
        ("Loading", None, ["step 14", "validation 20"], {}),
    ],
)
def test_loaders(
    model: str,
    data: dict[str, Any] | None,
    stops: list[str],
    kwargs: dict[str, Any],
    tmp_path: Path,
) -> None:
    config = {"model": kind(model), "data_train": data, "kwargs": kwargs}
    assert_resumes_the_same(tmp_path, stops, **config)


@pytest.mark.parametrize("source", ["orders", "buckets", "arrays"])
def test_orders_of_many_elements(source: str, tmp_path: Path) -> None:
    data = {"class_path": "own_mixes.MixedData", "init_args": {"source": source}}
    config = {"model": kind("Net"), "data_train": data, "kwargs": {"max_epochs": 2}}
    assert_resumes_the_same(tmp_path, ["step 14"], **config)


def test_a_lazy_layer(tmp_path: Path) -> None:
    arguments = {"parts": ["lazy"], "optimizer": "adam", "scheduler": "none"}
    lazy = {"class_path": "own_mixes.Mixed", "init_args": arguments}
    config = {"model": lazy, "data_train": loaders(), "kwargs": {"max_epochs": 2}}
    assert_resumes_the_same(tmp_path, ["step 4"], **config)


def test_a_resume_between_epochs_checks_no_validation_anew(tmp_path: Path) -> None:
    counting = {"class_path": "own_model.Counting", "init_args": {}}
    kwargs = {"max_epochs": 2, "num_sanity_val_steps": 1}
    config = {"model": kind("Net"), "data_train": loaders(), "kwargs": kwargs}
    assert_resumes_the_same(tmp_path, ["epoch 10"], **config, callbacks=[counting])


def test_state_in_odd_places(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stops = ["step 4", "step 14", "validation 20"]
    odd = {"class_path": "own_odd.Odd", "init_args": {}}
    assert_resumes_the_same(tmp_path, stops, model=odd, data_train=loaders())
    assert "not kept in checkpoints" not in capfd.readouterr().err


def test_an_object_that_says_what_its_state_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = {"model": kind("Replaying"), "data_train": loaders()}
    assert_resumes_the_same(tmp_path, ["step 4", "step 14"], **config)
    assert "not kept in checkpoints" not in capfd.readouterr().err


def test_state_of_callbacks_and_data_modules(tmp_path: Path) -> None:
    parts = ({"class_path": f"own_odd.{name}", "init_args": {}} for name in SILENT)
    data, callback = parts
    config = {"model": kind("Net"), "data_train": data, "callbacks": [callback]}
    assert_resumes_the_same(tmp_path, ["step 4", "step 14", "epoch 20"], **config)


def test_training_that_ends_for_want_of_data_is_not_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_dir = make_run(tmp_path / "run", model=kind("Net"), data_train=loaders("Exhausted"))
    assert train(run_dir) == ExitCode.EXPERIMENT_FAILED
    assert "ended in epoch 1 of 3, at step 10" in capfd.readouterr().err
    assert not run_dir.attempt(1).finished.exists()


def test_what_is_drawn_by_way_of_the_loggers_experiment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = {"model": kind("Drawing"), "data_train": loaders(), "kwargs": {"max_epochs": 2}}
    run_dir = make_run(tmp_path / "run", **config)
    assert train(run_dir) == ExitCode.DONE
    assert len(list(run_dir.plots.rglob("*.png"))) == 4
    assert "mean weight" in run_dir.metrics_table.read_text().splitlines()[0]
    assert capfd.readouterr().err.count("experiment.add_graph is left out") == 1


def test_what_cannot_be_kept_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_dir = make_run(
        tmp_path / "run", model=kind("Unkept"), data_train=loaders(), kwargs={"max_epochs": 1}
    )
    assert train(run_dir) == ExitCode.DONE
    output = capfd.readouterr().err
    assert output.count("not kept in checkpoints") == 1
    assert "layers (Linear), made (Helper)" in output
    said = read(UnkeptRecord, run_dir.attempt(1).unkept)
    assert said == UnkeptRecord(["layers (Linear)", "made (Helper)"])


def test_two_ranks_share_out_loaders_that_are_made_anew(tmp_path: Path) -> None:
    config = {"model": kind("Balanced"), "data_train": loaders("Told"), "world_size": 2}
    whole, broken = (
        make_run(tmp_path / name, **config, kwargs=RELOADING) for name in ("whole", "broken")
    )
    attempt = start(whole, 2)
    assert attempt.wait() == [ExitCode.DONE] * 2
    seen = [attempt.log(rank).split("ITEM ")[1:] for rank in (0, 1)]
    for epoch in range(3):
        half = slice(8 * epoch, 8 * epoch + 8)
        indices = [int(text.split()[0]) for texts in seen for text in texts[half]]
        assert sorted(indices) == list(range(16)), epoch
    assert run(broken, 2, OWN_STOP_AT="step 3") == [ExitCode.STOPPED] * 2
    assert run(broken, 2) == [ExitCode.DONE] * 2
    assert_same_end(whole, broken)
