"""Results of a small sweep, made up."""

from launch.results.cost import Cost
from launch.results.rows import Result
from launch.status.state import State
from pcm.run_dir.summary import MetricSummary

LR, SEED = "model.optimizers.0.kwargs.lr", "seed"


def metric(last: float, least: float | None = None, greatest: float | None = None) -> MetricSummary:
    least = last if least is None else least
    greatest = last if greatest is None else greatest
    return MetricSummary(last, 10, least, 5, greatest, 7)


def result(
    index: int, lr: float, seed: int, state: State = State.DONE, **metrics: MetricSummary
) -> Result:
    """A point; `val_loss=...` is the metric `val/loss`."""
    named = {name.replace("_", "/", 1): value for name, value in metrics.items()}
    return Result(
        id=f"{index:010x}",
        name=f"mnist-{index}",
        state=state,
        step=10,
        metrics={name: value.last for name, value in named.items()},
        axes={LR: lr, SEED: seed},
        summaries=named,
        sweep="mnist",
        cost=Cost(index, float(index), 2.0 * index),
    )


SWEEP = [
    result(1, 1e-3, 0, val_loss=metric(0.3, 0.2), val_acc=metric(0.8, greatest=0.9)),
    result(2, 1e-3, 1, val_loss=metric(0.32, 0.1)),
    result(3, 1e-4, 0, val_loss=metric(0.9, 0.8)),
    result(4, 1e-4, 1, State.FAILED),
]
