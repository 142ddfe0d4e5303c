"""The running means of `self.log(..., on_epoch=True)`, which Lightning keeps in no checkpoint.

A model of the user's own logs an epoch's mean this way; without its first half, the mean of
an epoch that was interrupted would be another.
"""

from typing import Any

from lightning.pytorch import Trainer

State = dict[str, dict[str, Any]]

_MARKS = ("fx", "name", "prog_bar", "logger", "on_step", "on_epoch", "enable_graph")
_PLACES = ("add_dataloader_idx", "dataloader_idx", "metric_attribute")
_VALUES = ("value", "cumulated_batch_size")


def capture_logged_means(trainer: Trainer) -> State:
    """What was logged so far in this epoch, by Lightning's key."""
    results = trainer.fit_loop.epoch_loop._results
    return {key: _capture(result) for key, result in results.items() if not result.has_reset}


def restore_logged_means(trainer: Trainer, states: State) -> None:
    """Continue the means; called between two steps or at a validation's start."""
    results = trainer.fit_loop.epoch_loop._results
    for key, state in states.items():
        results[key] = _restore(trainer, state)


def continue_epoch(trainer: Trainer) -> None:
    """Keep Lightning from taking the next step for an epoch's first, which begins the means."""
    trainer._logger_connector._first_loop_iter = True


def _capture(result: Any) -> dict[str, Any]:
    meta = result.meta
    state = {name: getattr(meta, name) for name in (*_MARKS, *_PLACES)}
    state["reduce_fx"] = meta.reduce_fx.__name__
    state["sync_dist"] = meta.sync.should
    state["rank_zero_only"] = meta.sync.rank_zero_only
    state["updates"] = result._update_count
    # Lightning writes it into every row until another is logged.
    state["latest"] = result._forward_cache
    # A torchmetrics object's values are captured with the model that it belongs to.
    names = _VALUES if result.is_tensor else ()
    state["values"] = {name: getattr(result, name) for name in names if hasattr(result, name)}
    return state


def _restore(trainer: Trainer, state: dict[str, Any]) -> Any:
    from lightning.pytorch.trainer.connectors.logger_connector.result import (
        _Metadata,
        _ResultMetric,
        _Sync,
    )

    described = {name: state[name] for name in (*_MARKS, *_PLACES)}
    meta = _Metadata(**described, reduce_fx=state["reduce_fx"])
    meta.sync = _Sync(
        _should=state["sync_dist"],
        fn=trainer.strategy.reduce,
        rank_zero_only=state["rank_zero_only"],
    )
    result = _ResultMetric(meta, is_tensor=bool(state["values"]))
    for name, value in state["values"].items():
        setattr(result, name, value.to(trainer.strategy.root_device))
    latest = state.get("latest")
    result._forward_cache = None if latest is None else latest.to(trainer.strategy.root_device)
    if not state["values"]:
        result.value = trainer.lightning_module.get_submodule(state["metric_attribute"])
    result._update_count = state["updates"]
    return result
