"""Trains one rank in the test's own process, and stops it at a place: a run takes 0.1 s."""

import copy
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_only

from pcm.errors import ExitCode
from pcm.rank.ranks import Ranks
from pcm.rank.stop import StopRequest
from pcm.rank.task import Task
from pcm.run_dir import RunDir
from pcm.training.run import Run
from tests.resume.compositions import Composition
from tests.resume.runs import OWN, assert_same, assert_same_end, has_best, make_run, newest, run


def train(
    run_dir: RunDir, stop_at: str | None = None, checkpoint: str | None = None, **variables: str
) -> ExitCode:
    """Train in one attempt, to the end or to a stop at `step 3`, `validation 10` or `epoch 10`."""
    attempt = run_dir.attempt(len(run_dir.attempts()) + 1)
    attempt.path.mkdir(parents=True)
    asked = {"OWN_STOP_AT": stop_at or "", "OWN_STOP_FILE": str(attempt.stop)}
    process = _own_process({**asked, "OWN_WAIT_S": "0.05", **variables})
    with process, StopRequest(attempt, period=0.005) as stop:
        return Run(Task(run_dir, attempt, checkpoint, Ranks(), stop)).train()


def train_two_ranks(
    run_dir: RunDir, stop_at: str | None = None, checkpoint: str | None = None, **variables: str
) -> ExitCode:
    """The same with two ranks, each in a process of its own, which takes 2 s."""
    chosen = {} if checkpoint is None else {"checkpoint": checkpoint}
    codes = run(run_dir, 2, OWN_STOP_AT=stop_at or "", **chosen, **variables)
    assert codes[0] == codes[1], codes
    return ExitCode(codes[0])


def train_whole_and_broken(folder: Path, stops: list[str], **config: Any) -> tuple[RunDir, RunDir]:
    """The same training twice: in one go, and stopped at places in turn."""
    whole, broken = (make_run(folder / name, **config) for name in ("whole", "broken"))
    assert train(whole) == ExitCode.DONE
    for stop in stops:
        assert train(broken, stop) == ExitCode.STOPPED, stop
    assert train(broken) == ExitCode.DONE
    return whole, broken


def assert_resumes_the_same(folder: Path, stops: list[str], **config: Any) -> None:
    """A training that is stopped ends as one that is not, its callbacks too."""
    whole, broken = train_whole_and_broken(folder, stops, **config)
    assert_same_end(whole, broken)
    assert_same(newest(whole)["callbacks"], newest(broken)["callbacks"], "callbacks")


def assert_composition_resumes(folder: Path, composition: Composition) -> None:
    """A composed training ends alike, though one of its stops may come too late to be one."""
    whole = make_run(folder / "whole", **copy.deepcopy(composition.config))
    broken = make_run(folder / "broken", every=composition.every, **composition.config)
    trained = train if composition.config["world_size"] == 1 else train_two_ranks
    assert trained(whole) == ExitCode.DONE
    for number, stop in enumerate((*composition.stops, None)):
        is_back = number == composition.best and has_best(broken)
        code = _train_until(trained, broken, stop, "best" if is_back else None)
        if code == ExitCode.DONE:
            break
    assert code == ExitCode.DONE
    assert_same_end(whole, broken)
    assert_same(newest(whole)["callbacks"], newest(broken)["callbacks"], "callbacks")


def _train_until(
    trained: Callable[..., ExitCode], run_dir: RunDir, stop: str | None, checkpoint: str | None
) -> ExitCode:
    kind, _, step = (stop or "").partition(" ")
    if kind == "fail":
        return trained(run_dir, None, checkpoint, OWN_FAIL_AT=f"step {step}")
    code = trained(run_dir, stop, checkpoint)
    assert code in (ExitCode.DONE, ExitCode.STOPPED), stop
    return code


@contextmanager
def _own_process(variables: Mapping[str, str]) -> Iterator[None]:
    """What training leaves in a process, taken back."""
    environment, path, threads = dict(os.environ), list(sys.path), torch.get_num_threads()
    os.environ.update(variables)
    sys.path.insert(0, str(OWN))
    torch.set_num_threads(1)
    # Another start than the one before: what isn't captured must not be the same by chance.
    random.seed(), np.random.seed(), torch.seed()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)
        rank_zero_only.rank = 0  # type: ignore[attr-defined]
