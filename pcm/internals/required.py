"""Which private names of other libraries training uses, and whether those installed have them.

A release that moves one would otherwise end training at some later step: at a first checkpoint,
or not before a resume. So all are looked for at the start, which takes no time: what is asked for
is whether a class has the name, or its `__init__` sets it.
"""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from types import CodeType
from typing import Any

from pcm.errors import PcmError

SUPPORTED: Mapping[str, str] = {
    "lightning": ">=2.5,<2.7",
    "torch": ">=2.5",
    "torchmetrics": ">=1.4",
}
"""As in `pyproject.toml`."""

_CONNECTORS = "lightning.pytorch.trainer.connectors"

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "lightning.pytorch:Trainer": ("_callback_connector", "_logger_connector", "_signal_connector"),
    "lightning.pytorch:LightningModule": ("_current_fx_name",),
    "lightning.pytorch.core.optimizer:LightningOptimizer": ("_on_before_step", "_on_after_step"),
    "lightning.pytorch.loops.fit_loop:_FitLoop": (
        "_combined_loader",
        "_data_fetcher",
        "_last_train_dl_reload_epoch",
        "_restarting",
        "_should_reload_train_dl",
        "epoch_loop",
        "epoch_progress",
        "on_run_end",
        "on_run_start",
        "setup_data",
    ),
    "lightning.pytorch.callbacks:BatchSizeFinder": ("_batch_arg_name", "_early_exit"),
    "lightning.pytorch.callbacks:LearningRateFinder": ("_attr_name", "_early_exit", "_update_attr"),
    "lightning.pytorch.callbacks:StochasticWeightAveraging": ("_initialized", "_scheduler_state"),
    "lightning.pytorch.loops.training_epoch_loop:_TrainingEpochLoop": (
        "_batches_that_stepped",
        "_on_after_fetch",
        "_on_before_fetch",
        "_results",
        "_should_accumulate",
        "advance",
        "batch_progress",
        "val_loop",
    ),
    "lightning.pytorch.loops.progress:_BatchProgress": (
        "increment_processed",
        "increment_started",
    ),
    "lightning.pytorch.loops.evaluation_loop:_EvaluationLoop": (
        "_combined_loader",
        "_last_val_dl_reload_epoch",
        "_should_reload_val_dl",
        "setup_data",
    ),
    "lightning.pytorch.loops.fetchers:_DataFetcher": ("fetched",),
    "lightning.pytorch.strategies:DeepSpeedStrategy": ("_init_deepspeed_distributed",),
    "lightning.pytorch.strategies:Strategy": (
        "load_model_state_dict",
        "load_optimizer_state_dict",
        "process_dataloader",
        "setup_optimizers",
    ),
    f"{_CONNECTORS}.logger_connector.logger_connector:_LoggerConnector": ("_first_loop_iter",),
    f"{_CONNECTORS}.logger_connector.result:_Metadata": ("sync",),
    f"{_CONNECTORS}.logger_connector.result:_ResultMetric": ("_forward_cache", "has_reset"),
    f"{_CONNECTORS}.logger_connector.result:_Sync": ("_should",),
    f"{_CONNECTORS}.callback_connector:_CallbackConnector": ("_attach_model_callbacks",),
    f"{_CONNECTORS}.signal_connector:_SignalConnector": ("register_signal_handlers",),
    "torch:Tensor": ("_version",),
    "torch.nn.modules.lazy:LazyModuleMixin": ("_initialize_hook", "_load_hook"),
    "torch.nn:Module": ("_buffers", "_non_persistent_buffers_set", "_parameters"),
    "torch:serialization": ("_open_zipfile_writer", "_save"),
    "torch.utils:_pytree": ("tree_map_only",),
    "torch.utils.data:DataLoader": ("_iterator",),
    "torchmetrics:Metric": ("_computed", "_update_count", "metric_state"),
}
"""A class or module, written `module:name`, and what training uses of it."""

OPTIONAL = frozenset({"_broadcast_sigterm_tensor", "_copy_recovery_script"})
"""What is used where there is one: Lightning from 2.6 on has the first, DeepSpeed the second."""


def check_internals(required: Mapping[str, tuple[str, ...]] = REQUIRED) -> None:
    """Make sure that every private name that training uses is there.

    Raises:
        PcmError: one is not; names the library, its version and those that have it.
    """
    for place, names in required.items():
        missing = next(_missing(place, names), None)
        if missing is not None:
            raise _refusal(place.partition(".")[0].partition(":")[0], missing)


def _missing(place: str, names: tuple[str, ...]) -> Iterator[str]:
    module, _, owner_name = place.partition(":")
    try:
        owner = getattr(importlib.import_module(module), owner_name, None)
        if owner is None:
            owner = importlib.import_module(f"{module}.{owner_name}")
    except ImportError:
        yield place.replace(":", ".")
        return
    yield from (f"{owner_name}.{name}" for name in names if not _has(owner, name))


def _has(owner: Any, name: str) -> bool:
    """Whether a module or class has a name, declares it, or sets it in a constructor.

    It, or one of its parents.
    """
    if hasattr(owner, name):
        return True
    parents = owner.__mro__ if inspect.isclass(owner) else ()
    if any(name in inspect.get_annotations(each) for each in parents):
        return True
    return any(name in _names_in(vars(each).get("__init__")) for each in parents)


def _names_in(function: Any) -> tuple[str, ...]:
    # Lightning wraps the constructor of its Trainer.
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return code.co_names if isinstance(code, CodeType) else ()


def _refusal(library: str, missing: str) -> PcmError:
    try:
        found = version(library)
    except PackageNotFoundError:
        found = "of an unknown version"
    wanted = f"{library}{SUPPORTED[library]}"
    return PcmError(
        f"{library} {found} has no `{missing}`, which training relies on: pcm is written for "
        f"{wanted}",
        f"pip install '{wanted}' where training runs, or build the image anew",
    )
