"""A trainer file: callbacks, devices, and Lightning's Trainer kwargs."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from pcm.config.shapes import COUNT, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.structures.callbacks import CALLBACK, known_name
from pcm.config.structures.checkpoint_policy import CHECKPOINTS
from pcm.config.structures.deepspeed_options import check_callbacks_of_deepspeed
from pcm.config.structures.lightning_callbacks import LIGHTNING_CALLBACKS, STATE_KEYS
from pcm.config.structures.strategies import is_sharded
from pcm.config.structures.trainer_kwargs import check_kwargs
from pcm.config.wording import shown

ACCELERATORS = ("auto", "cpu", "gpu", "cuda")

_AVERAGING = ("weight_averaging", "ema_weight_averaging", "stochastic_weight_averaging")

_PROGRESS_BARS = ("tqdm_progress_bar", "rich_progress_bar")


def _check_trainer(trainer: Mapping[str, Any]) -> Iterator[Finding]:
    callbacks = trainer["callbacks"]
    names = [known_name(callback) for callback in callbacks]
    for index, problem in _doubled(callbacks, names):
        yield Finding(("callbacks", index), problem, expected="one of them")
    scheduler = "gradient_accumulation_scheduler"
    accumulated = trainer["kwargs"].get("accumulate_grad_batches", 1)
    if scheduler in names and accumulated != 1:
        expected = f"{scheduler}, or this one"
        problem = "the number of batches is said twice"
        yield Finding(("kwargs", "accumulate_grad_batches"), problem, shown(accumulated), expected)
    if is_sharded(trainer["kwargs"].get("strategy")):
        for index, name in enumerate(names):
            if name in _AVERAGING:
                problem = f"{name} averages whole weights, and each rank has shards"
                yield Finding(("callbacks", index), problem, expected="another strategy, or none")
            if _finds(name):
                problem = f"{name} can't look with weights in shards"
                yield Finding(("callbacks", index), problem, expected="another strategy, or none")
    yield from check_callbacks_of_deepspeed(trainer["kwargs"].get("strategy"), names)
    devices = trainer["devices"]
    if isinstance(devices, list) and len({*devices, -1}) <= len(devices):
        expected = "numbers from 0, each once"
        yield Finding(("devices",), "not the numbers of devices", str(devices), expected)


def _doubled(callbacks: list[Any], names: list[str | None]) -> Iterator[tuple[int, str]]:
    """The callbacks that Lightning would not take beside an earlier one."""
    keys: Counter[Hashable] = Counter()
    for index, (callback, name) in enumerate(zip(callbacks, names, strict=True)):
        problem = f"a second {name} whose state could not be told from the first one's"
        if name in _PROGRESS_BARS:
            key: Hashable = "progress bar"
        elif _finds(name):
            key, problem = name, f"a second {name}: one of a kind looks"
        elif name is not None and name in STATE_KEYS:
            given = callback.get("kwargs") or callback.get("init_args") or {}
            defaults = STATE_KEYS[name]
            key = (name, *(shown(given.get(each, value)) for each, value in defaults.items()))
        else:
            continue
        keys[key] += 1
        if keys[key] > 1:
            yield index, problem


def _finds(name: str | None) -> bool:
    known = LIGHTNING_CALLBACKS.get(name or "")
    return known is not None and known.finds


TRAINER: ConfigStructure = Rule(
    Record(
        {
            "callbacks": [CALLBACK],
            "num_nodes": (None, COUNT),
            "devices": (None, int | str, [int]),
            "accelerator": (None, OneOf(ACCELERATORS, "accelerator")),
            "kwargs": Rule(dict, check_kwargs),
        },
        {"checkpoints": (None, CHECKPOINTS), "after_fit": (None, OneOf(("test",), "step"))},
    ),
    _check_trainer,
)
"""`after_fit: test` runs a module's `test_step` once training is at its end."""
