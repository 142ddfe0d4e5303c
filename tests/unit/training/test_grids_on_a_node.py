"""What is passed of many grids, most of them wrong, a rank can train: a step or two of it."""

import json
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from lightning.pytorch.utilities import rank_zero_only

from launch.grid import Grid, expand
from launch.store import Store
from launch.validate import check_file
from pcm.errors import ExitCode
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.rank.task import Task
from pcm.run_dir import RunDir, read_json
from pcm.run_dir.attempt_records import StopReason
from pcm.training.building.build import build_data, build_model, build_trainer
from pcm.training.building.devices import choose_device
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.experiment_files import read_experiment
from pcm.training.run import Run
from pcm.training.training_logger import TrainingLogger
from tests.unit.config import samples
from tests.unit.spoiling import Spoiler
from tests.unit.training import own_parts

AT_ONCE = 20
PROJECTS = int(os.environ.get("PCM_GRIDS", "40"))
"""The same few each time; hundreds by hand."""

OWN = own_parts.__name__
ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 1e-3, "betas": [0.9, 0.99]}}
SGD = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1, "momentum": 0.9}}
LINEAR = {"name": "linear", "kwargs": {"start_factor": 0.5, "total_iters": 2}}
STEP = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 2}}
PLATEAU = {
    "class_path": "lightning.pytorch.cli.ReduceLROnPlateau",
    "init_args": {"monitor": "val/loss", "factor": 0.5},
}
OF_DATA = ("number of the training batches", "_dataloader` but")
"""In what Lightning says of data with fewer batches than a file asks for."""

NET = {"class_path": f"{OWN}.Net", "init_args": {"width": 3, "act": "tanh"}}

TIMER = {"name": "timer", "kwargs": {"duration": "00:01:00:00"}}
RATES = {"name": "lr_monitor", "cfg": {}, "kwargs": {"logging_interval": "step"}}
NOTE = {"class_path": f"{OWN}.Note", "init_args": {"text": "x"}}
STOPPING = {"name": "early_stopping", "kwargs": {"monitor": "val/loss", "patience": 3}}
BEST = {"name": "model_checkpoint", "kwargs": {"save_top_k": 1, "monitor": "val/loss"}}


def trainer(kwargs: dict[str, Any], *callbacks: dict[str, Any]) -> dict[str, Any]:
    """A trainer file's content."""
    rest = {"num_nodes": None, "devices": None, "accelerator": "cpu"}
    return {"callbacks": list(callbacks), **rest, "kwargs": kwargs}


BASES: Mapping[str, Any] = {
    "chain.yaml": samples.model().data,
    "own.yaml": {
        "class_path": f"{OWN}.Model",
        "init_args": {"net": NET, "lr": 0.1, "optimizer": ADAM, "more": {"a": [1, "b"]}},
    },
    "given.yaml": {
        "class_path": f"{OWN}.Model",
        "init_args": {"sizes": [1, 2]},
        "optimizer": SGD,
        "lr_scheduler": STEP,
    },
    "plateau.yaml": {"class_path": f"{OWN}.Model", "optimizer": ADAM, "lr_scheduler": PLATEAU},
    "digits.yaml": samples.data().data,
    "own-data.yaml": {"class_path": f"{OWN}.Data", "init_args": {"batch_size": 2}},
    "plain.yaml": trainer({"max_epochs": 1, "limit_val_batches": 1}, TIMER),
    "rich.yaml": {
        **trainer({"val_check_interval": 1, "precision": "32-true"}, RATES, NOTE, STOPPING, BEST),
        "checkpoints": {"every": {"steps": 1}, "monitor": "val/loss", "keep": 2},
        "after_fit": "test",
    },
    "of-chain.yaml": trainer({"limit_val_batches": 1, "log_every_n_steps": 1}, TIMER, BEST),
    "pictures.yaml": samples.trainer().data,
}
CHAIN = {"model": "chain.yaml", "data_train": "digits.yaml", "data_val": "digits.yaml"}
TRAINERS = {"own": ["plain.yaml", "rich.yaml"], "chain": ["of-chain.yaml", "pictures.yaml"]}

AXES: list[dict[str, Any]] = [
    {"seed": [0, 1], "trainer.kwargs.log_every_n_steps": [1, 2]},
    {"subsample_size": [8, 64], "trainer.checkpoints": [{"monitor": "val/loss"}, None]},
    {"trainer.callbacks": [[], [{"name": "ema_weight_averaging", "kwargs": {"decay": 0.9}}]]},
    {"trainer.kwargs": [{"max_steps": 2, "precision": "bf16-mixed"}, {}]},
]
OF_CHAIN: list[dict[str, Any]] = [
    {"model.optimizers.0.kwargs.lr": [1e-3, 0], "model.training.batch_size": [4, 16]},
    {"model.chain.encoder.cfg.hidden_dims": [[8], []]},
    {"model.chain.posterior.cfg.loss_coef_posterior_entropy": [0, 1]},
    {"data_train.cond_trans_mgr.0.known_prob": [0, 1], "model.training.max_epochs": [1]},
    {"model.optimizers.0.optimizer_name": ["adam", "sgd"]},
    {"model.optimizers.0.lr_scheduler": [None, {"schedulers": [LINEAR], "out_cfg_kwargs": {}}]},
    {"trainer": TRAINERS["chain"]},
]
OF_OWN: list[dict[str, Any]] = [
    {"model.init_args.lr": [1e-3, 1], "model": ["own.yaml", "given.yaml"]},
    {"model.optimizer": [ADAM, SGD, None], "model.lr_scheduler": [None]},
    {"model.init_args.net": [NET, None], "data_train.init_args.batch_size": [1, 4]},
    {"model.init_args.optimizer": [ADAM, None], "trainer.kwargs.max_epochs": [1, 2]},
    {"trainer": TRAINERS["own"], "trainer.kwargs.accumulate_grad_batches": [1, 2]},
    {"trainer.kwargs.gradient_clip_val": [1], "trainer.kwargs.gradient_clip_algorithm": ["norm"]},
]
PARTS: Mapping[str, list[Any]] = {
    "seed": [2**32 - 1],
    "subsample_size": [32],
    "set": [{"trainer.kwargs.max_steps": 3}, {"trainer.kwargs.detect_anomaly": True}],
    "random": [
        {"n": 2, "axes": {"trainer.kwargs.limit_train_batches": {"uniform": [0.5, 1]}}},
        {"n": 1, "axes": {"trainer.kwargs.min_steps": {"int_uniform": [0, 9]}}},
    ],
    "include": [[{"seed": 9}, {"trainer.kwargs.max_steps": 2}]],
    "resources": [{"nodes": 2, "tasks_per_node": 2}, {"time": "1h"}],
    "checkpoints": [{"every": "10m"}, {"minutes": 5, "monitor": "x", "mode": "max"}],
    "tracker": ["tensorboard", ["csv", "mlflow"]],
    "tags": [["a"]],
}
KEYS = (
    *("kwargs", "cfg", "name", "class_path", "init_args", "partial", "optimizer", "lr_scheduler"),
    *("max_epochs", "monitor", "mode", "foreach", "fused", "lr", "params", "callbacks", "chain"),
    *("checkpoints", "nesterov", "last_epoch", "betas", "strategy", "precision", "width"),
)
NUMBERS: tuple[Any, ...] = (
    *(0, 1, 2, -1, 3, 7, 1000, -0.0, 0.5, 1.0, 1.5, -0.5, 1e-3, 1e300, 10**20, 2**31, 10**400),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *("", " ", ".", "ünï\u202e", "\x00", "ten", "1", "1e-3", "true", "min", "max", "step"),
    *("encoder", "posterior", "forward", "img", "adam", "b d -> d", "mean", "val/loss", "epoch"),
    *("exp", "softplus", "none", "00:00:00:10", "auto", "16-true", "bf16-mixed", "norm", "value"),
    *("activation/relu", "loss/reconstruction", "chain.yaml", "rich.yaml", "digits.yaml"),
    *("gone.yaml", "no", "9" * 5000),
)


class Project:
    """A grid and its base files, wrong in a place or two, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._spoiler = Spoiler(self._random, KEYS, NUMBERS, TEXTS)

    def write(self, folder: Path) -> Path:
        """Returns the grid file."""
        pick, chance = self._random.choice, self._random.random
        kind, base, own_axes = "chain", CHAIN, OF_CHAIN
        if chance() < 0.5:
            model = pick(("own.yaml", "given.yaml", "plateau.yaml"))
            kind, own_axes = "own", OF_OWN
            base = {"model": model, "data_train": "own-data.yaml"}
        grid = {"base": {**base, "trainer": pick(TRAINERS[kind])}, "grid": pick([*AXES, *own_axes])}
        grid |= {key: pick(parts) for key, parts in PARTS.items() if chance() < 0.15}
        files = json.loads(json.dumps({**BASES, "grid.yaml": grid}))
        wrong = [pick(("grid.yaml", *grid["base"].values())) for _ in range(pick((0, 1, 1, 2)))]
        for name in wrong:
            self._spoiler.spoil(files[name])
        for name, content in files.items():
            text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            if name in wrong and chance() < 0.05:
                lines = text.splitlines()
                self._spoiler.insert_line(lines)
                text = "\n".join(lines)
            (folder / name).write_text(text, encoding="utf-8")
        return folder / "grid.yaml"


class StopSoon:
    """Asked for at the third look: a step or two are trained until then."""

    reason = StopReason.INTERRUPT

    def __init__(self) -> None:
        self._looks = 0

    @property
    def is_asked(self) -> bool:
        self._looks += 1
        return self._looks > 2


def train_as_a_node_does(grid: Grid, root: Path) -> None:
    """A rank of the first and of the last point."""
    store = Store(root)
    store.freeze(grid)
    experiments = store.experiments(grid.name)
    for experiment in {each.id: each for each in (experiments[0], experiments[-1])}.values():
        run_dir = experiment.create_run_dir()
        world_size = read_experiment(run_dir)[1]["world_size"]
        with as_it_was():
            if world_size == 1:
                train(run_dir)
            elif world_size <= 8:
                build(run_dir, Ranks(0, world_size, 0, world_size))


def train(run_dir: RunDir) -> None:
    """A step or two, unless what no file tells ends it."""
    attempt = run_dir.attempt(1)
    attempt.path.mkdir(parents=True)
    stop: Any = StopSoon()
    code = Run(Task(run_dir, attempt, None, Ranks(), stop)).train()
    if code not in (ExitCode.DONE, ExitCode.STOPPED):
        error = read_json(attempt.error(0))
        assert error is not None
        is_of_config = error["type"] == "ConfigError"
        # How many batches there are, and what a class of the user's own does with its arguments.
        is_of_data = is_of_config and any(each in error["message"] for each in OF_DATA)
        is_theirs = not is_of_config and own_parts.__file__ in error["traceback"]
        # Shapes are followed by the links themselves, whose error names command and step.
        is_of_shapes = error["type"] == "RuntimeError" and "in command " in error["traceback"]
        assert is_of_data or is_theirs or is_of_shapes, error["traceback"]


def build(run_dir: RunDir, ranks: Ranks) -> None:
    """All that a rank of several puts together before it meets the others."""
    experiment, config = read_experiment(run_dir)
    device = choose_device(config.get("trainer") or {}, ranks)
    model = build_model(config["model"])
    build_data(config)
    files = CheckpointFiles(None, lambda: None, lambda _: None)
    logger = TrainingLogger(run_dir, experiment, 1, None, Progress())
    build_trainer(config, ranks, device, model, callbacks=[], files=files, logger=logger)
    logger.close()


@contextmanager
def as_it_was() -> Iterator[None]:
    """What training leaves in a process, taken back."""
    environment = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        rank_zero_only.rank = 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", range(0, PROJECTS, AT_ONCE))
def test_what_is_passed_can_be_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.delenv("PCM_CONFIG_DIR", raising=False)
    monkeypatch.delenv("PCM_DATA_DIR", raising=False)
    passed = 0
    for seed in range(first, first + AT_ONCE):
        folder = tmp_path / str(seed)
        folder.mkdir()
        grid = Project(seed).write(folder)
        checked = check_file(grid)
        for fault in checked.faults:
            assert fault.file, fault
            assert fault.line, fault
        if not checked.faults:
            train_as_a_node_does(expand(grid), folder / "runs")
            passed += 1
    # About seven do: most are wrong.
    assert passed > 1
