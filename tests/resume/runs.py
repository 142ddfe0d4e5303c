"""Runs real training processes, as a supervisor would, and compares what they leave."""

import multiprocessing
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from pcm.__main__ import main
from pcm.run_dir import RunDir, read_json, write_json, write_text
from pcm.run_dir.checkpointing import Checkpointing, freeze_checkpointing, read_checkpointing
from pcm.run_dir.checkpoints import best_first, read_manifests
from pcm.run_dir.shards import count_states, shards_folder
from pcm.training.checkpoints.loading_plain import load_plain
from pcm.training.checkpoints.sharding import read_whole

OWN = Path(__file__).parent / "own"
TIMEOUT = 120


# A process forked from one that has imported Lightning starts at once, and is as good as new.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["lightning.pytorch", "torchmetrics", "pcm.training.run"])


@dataclass(frozen=True)
class Attempt:
    """The running ranks of one attempt."""

    run_dir: RunDir
    number: int
    processes: list[Any]

    def wait(self) -> list[int]:
        """The exit codes of all ranks; none is left behind."""
        try:
            for process in self.processes:
                process.join(TIMEOUT)
            return [process.exitcode for process in self.processes]
        finally:
            for process in self.processes:
                process.kill()

    def log(self, rank: int = 0) -> str:
        """What a rank has printed."""
        return self.run_dir.attempt(self.number).log(rank).read_text()


def own(name: str, **arguments: Any) -> dict[str, Any]:
    """A config that names a class of `own_model`."""
    return {"class_path": f"own_model.{name}", "init_args": arguments}


def make_run(folder: Path, **config: Any) -> RunDir:
    """A run directory with everything that a host side would have written."""
    run_dir = RunDir(folder)
    folder.mkdir(parents=True)
    defaults: dict[str, Any] = {
        "schema_version": 1,
        "seed": 7,
        "subsample_size": None,
        "world_size": 1,
        "model": own("Automatic"),
        "data_train": own("Data"),
        "data_val": None,
        "trainer": {
            "callbacks": [],
            "num_nodes": None,
            "devices": None,
            "accelerator": "cpu",
            "kwargs": {"max_epochs": 3, "log_every_n_steps": 1},
        },
    }
    defaults["trainer"]["kwargs"] |= config.pop("kwargs", {})
    defaults["trainer"]["callbacks"] += config.pop("callbacks", [])
    if after_fit := config.pop("after_fit", None):
        defaults["trainer"]["after_fit"] = after_fit
    every = config.pop("every", "1 epochs")
    starts_from = config.pop("starts_from", None)
    write_text(run_dir.config, yaml.safe_dump(defaults | config))
    # These trainings are over before the first one would be due.
    freeze_checkpointing(run_dir, Checkpointing(every=every))
    experiment = {"schema_version": 1, "id": "0123456789", "name": "test", "tags": []}
    write_json(run_dir.experiment, {**experiment, "tracker": None, "starts_from": starts_from})
    return run_dir


def start(
    run_dir: RunDir, world_size: int = 1, *, number: int | None = None, **options: str
) -> Attempt:
    """Start the ranks of the next attempt; upper-case options are environment variables."""
    number = number or len(run_dir.attempts()) + 1
    folder = run_dir.attempt(number)
    folder.path.mkdir(parents=True, exist_ok=True)
    variables = {
        "WORLD_SIZE": str(world_size),
        "LOCAL_WORLD_SIZE": str(world_size),
        "OWN_STOP_FILE": str(folder.stop),
        **{name: text for name, text in options.items() if name.isupper()},
    }
    words = [str(run_dir.path), "--attempt", str(number)]
    if "checkpoint" in options:
        words += ["--checkpoint", options["checkpoint"]]
    processes = []
    for rank in range(world_size):
        mine = variables | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        process = _FORKS.Process(target=_be_rank, args=(words, mine, str(folder.log(rank))))
        process.start()
        processes.append(process)
    return Attempt(run_dir, number, processes)


def _be_rank(words: list[str], variables: dict[str, str], log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.update(variables)
    torch.set_num_threads(1)
    # A forked process would start loaders' workers by way of another fork server.
    multiprocessing.set_start_method("fork", force=True)
    if "OWN_FILE_LIMIT" in variables:
        limit = int(variables["OWN_FILE_LIMIT"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    sys.path.insert(0, str(OWN))
    sys.exit(main(words))


def run(run_dir: RunDir, world_size: int = 1, **options: str) -> list[int]:
    """Run one attempt; the exit codes of its ranks."""
    attempt = start(run_dir, world_size, number=None, **options)
    codes = attempt.wait()
    print(attempt.log())
    return codes


def newest(run_dir: RunDir) -> dict[str, Any]:
    """The content of the newest checkpoint."""
    path = run_dir.checkpoints / read_manifests(run_dir.checkpoints)[0].file
    content = load_plain(path)
    if count_states(shards := shards_folder(path)):
        from pcm.training.checkpoints import deepspeed_states

        content["state_dict"] = deepspeed_states.read_whole(shards)
        states = (deepspeed_states.read_state(each) for each in sorted(shards.glob("*_optim_*")))
        # The weights are there as a whole; here they are padded with what memory had in it.
        content["optimizer_states"] = [
            {k: v for k, v in each["optimizer_state_dict"].items() if "_groups" not in k}
            for each in states
        ]
    elif shards.exists():
        content["state_dict"] = read_whole(shards, "state_dict")
        content["optimizer_states"] = [read_whole(shards, f"optimizer_{n}") for n in range(2)]
    return content


def has_best(run_dir: RunDir) -> bool:
    """Whether one of its checkpoints is the best one."""
    wanted = read_checkpointing(run_dir)
    return bool(best_first(read_manifests(run_dir.checkpoints), wanted))


def assert_same_end(one: RunDir, other: RunDir) -> None:
    """Weights, optimizers, schedulers, every rank's generators and the metrics are equal."""
    left, right = newest(one), newest(other)
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(left[part], right[part], part)
    for rank, (ours, theirs) in enumerate(
        zip(left["pcm"]["ranks"], right["pcm"]["ranks"], strict=True)
    ):
        for part in ("generators", "model"):
            assert_same(ours[part], theirs[part], f"{part} of rank {rank}")
    assert one.metrics_table.read_text() == other.metrics_table.read_text()
    assert read_json(_last(one).finished) == read_json(_last(other).finished)


def _last(run_dir: RunDir) -> Any:
    return run_dir.attempts()[-1]


def assert_same(one: Any, other: Any, where: str) -> None:
    """Equal to the last bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            assert_same(mine, theirs, f"{where}.{index}")
    elif type(one).__module__.startswith("deepspeed.") and hasattr(one, "__dict__"):
        assert_same(vars(one), vars(other), where)
    else:
        assert one == other, where
