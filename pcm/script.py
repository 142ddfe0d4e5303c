"""What a training script of your own may call when pcm runs it.

    import pcm.script as run

    lr = run.params["lr"]
    start = load(run.checkpoint())            # None the first time
    for step in range(start, 1000):
        loss = train(step)
        run.log(step, {"loss": loss})
        if run.should_stop():
            run.save(path, step)              # of a file that was just written
            run.stop()
    run.finish({"accuracy": 0.9})

This file imports nothing but the standard library, so that it may be copied to where pcm isn't
installed. Started by hand, outside of pcm, it has no params, and keeps nothing.
"""

import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

__all__ = [
    "STOPPED",
    "attempt",
    "checkpoint",
    "finish",
    "log",
    "params",
    "rank",
    "run_dir",
    "save",
    "seed",
    "should_stop",
    "stop",
    "world_size",
]

STOPPED = 75
"""The exit code that means: stopped, go on later."""

_OWN_NAMES = frozenset({"step", "epoch", "time", "total_steps", "pcm"})
"""Names in a line of what is logged that no metric can have."""

_LOOK = 0.25
"""Seconds between two looks for a request to stop."""


def _path_of(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


def _read_params() -> dict[str, Any]:
    path = _path_of("PCM_CONFIG")
    return {} if path is None else dict(json.loads(path.read_text(encoding="utf-8")))


run_dir = _path_of("PCM_RUN_DIR")
"""The experiment's own folder, the same in all of its attempts; None outside of pcm."""

attempt = int(os.environ.get("PCM_ATTEMPT", "1"))
rank = int(os.environ.get("RANK", "0"))
world_size = int(os.environ.get("WORLD_SIZE", "1"))
seed = int(os.environ.get("PCM_SEED", "0"))

params = _read_params()
"""What this point of the grid is."""


class _State:
    """What one process has done so far."""

    def __init__(self) -> None:
        self.step = 0
        self.epoch: int | None = None
        self.values: dict[str, float] = {}
        self.checkpoint = _path_of("PCM_CHECKPOINT")
        self.stream: Any = None
        self.is_stopping = False
        self.is_told = False
        self.listens = False
        self.looked = float("-inf")


_state = _State()


def log(
    step: int, metrics: Mapping[str, Any], *, epoch: int | None = None, total: int | None = None
) -> None:
    """Record numbers at a step; ranks other than 0 record nothing.

    Args:
        step: batches done, over all attempts. The first one of an attempt takes back what the
            attempts before have logged from there on.
        epoch: epochs done; nothing is said of them where a script has none.
        total: the step that training ends at, for the time that is left.

    Raises:
        ValueError: a metric has a name that a line has for itself.
    """
    if taken := sorted(_OWN_NAMES & {*map(str, metrics)}):
        raise ValueError(f"call the metric {taken[0]!r} otherwise, e.g. 'train/{taken[0]}'")
    values = {str(key): float(value) for key, value in metrics.items()}
    _state.step, _state.epoch = int(step), _state.epoch if epoch is None else int(epoch)
    _state.values.update(values)
    told = {} if total is None else {"total_steps": int(total)}
    reached = {} if _state.epoch is None else {"epoch": _state.epoch}
    _tell({"step": _state.step, **reached, "time": time.time(), **told}, values)


def should_stop() -> bool:
    """Whether somebody has asked for a stop: a person, Slurm, or the end of the time.

    Ranks see it at different steps: let rank 0 ask, and tell the others.
    """
    _listen()
    if _state.is_told:
        return True
    now = time.monotonic()
    if not _state.is_stopping and now > _state.looked + _LOOK:
        _state.looked = now
        request = _path_of("PCM_STOP_FILE")
        _state.is_stopping = request is not None and request.exists()
    if _state.is_stopping:
        _state.is_told = True
        _tell({"pcm": "stopping"})
    return _state.is_stopping


def stop() -> NoReturn:
    """End this process as one that is to go on later."""
    raise SystemExit(STOPPED)


def save(path: str | os.PathLike[str], step: int | None = None) -> Path:
    """Take a file that was just written as the checkpoint of a step; on rank 0.

    The file moves into the experiment's folder (what a link leads to is copied), is flushed to
    the disk, and counts from then on.

    Args:
        step: that it was written at; None for the last one that was logged.

    Returns:
        Where it is now.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no step is less than 0.
    """
    if step is not None and int(step) < 0:
        raise ValueError(f"a checkpoint is of a step from 0, not of {step}")
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"no file to take as a checkpoint: {source} (a folder is none)")
    if run_dir is None or rank != 0:
        return source
    at = _state.step if step is None else int(step)
    folder = run_dir / "checkpoints"
    folder.mkdir(exist_ok=True)
    for leftover in folder.glob("*.part"):
        leftover.unlink()
    target, aside = folder / f"step={at}.ckpt", folder / f"step={at}.part"
    if source.is_symlink():
        # What moves is the link, and it leads nowhere from there.
        shutil.copyfile(source, aside)
    else:
        shutil.move(source, aside)
    record = {
        "file": target.name,
        "sha256": _flushed_digest(aside),
        "size": aside.stat().st_size,
        "step": at,
        "epoch": _state.epoch or 0,
        "attempt": attempt,
        "time": time.time(),
        "reason": "stop" if _state.is_stopping else "interval",
        "metrics": _state.values,
    }
    aside.replace(target)
    _write_json(folder / f"{target.name}.json", record)
    _state.checkpoint = target
    return target


def checkpoint() -> Path | None:
    """The file to go on from: the newest that is whole, or the one that was asked for."""
    return _state.checkpoint


def finish(metrics: Mapping[str, Any] | None = None) -> None:
    """Say that training has come to its end, and what it came to."""
    if metrics:
        log(_state.step, metrics)
    _tell({"pcm": "finished"})


def _listen() -> None:
    """Take the signal of a stop for a request, now that somebody asks for requests."""
    name = os.environ.get("PCM_STOP_SIGNAL")
    if _state.listens or name is None:
        return
    _state.listens = True
    # Python lets no other thread set a handler; the request's file tells that one.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.Signals[f"SIG{name}"], _note_stop)


def _note_stop(*_: object) -> None:
    _state.is_stopping = True


def _tell(record: Mapping[str, Any], values: Mapping[str, float] | None = None) -> None:
    """Append a line to what pcm reads, in the operating system's hands on return."""
    path = _path_of("PCM_METRICS")
    if path is None or rank != 0:
        return
    if _state.stream is None:
        _state.stream = path.open("a", encoding="utf-8")
    _state.stream.write(json.dumps({**(values or {}), **record}) + "\n")
    _state.stream.flush()


def _flushed_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a file aside, flush it, rename it: nobody ever sees half of it."""
    aside = path.with_name(f"{path.name}.part")
    with aside.open("w", encoding="utf-8") as stream:
        stream.write(json.dumps(record, indent=1) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
