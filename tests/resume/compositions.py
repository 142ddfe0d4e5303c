"""Trainings composed at random of parts of modules, loaders and callbacks, and of stops."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

PARTS = (
    "annealed",
    "averaged",
    "exchanged",
    "remembering",
    "recurrent",
    "balanced",
    "owngenerators",
    "sharedgenerators",
    "measured",
    "frozen",
    "unfrozen",
    "logging",
    "accumulating",
    "impatient",
    "counted",
    "closed",
    "copied",
    "held",
    "written",
    "common",
    "tied",
    "normed",
    "complex",
    "lazy",
    "hooked",
    "swapped",
    "scheduled",
    "best",
    "viewed",
    "renewed",
    "shared",
    "joining",
    "watching",
    "named",
    "gathered",
)
SOURCES = (
    "loader",
    "weighted",
    "own order",
    "buffer",
    "shards",
    "endless",
    "positions",
    "subsets",
    "longest",
    "shortest",
    "padded",
    "buckets",
    "orders",
    "arrays",
    "weighing",
    "split",
    "sorted",
    "epochs",
)
SIZED = (
    "loader",
    "weighted",
    "own order",
    "subsets",
    "buckets",
    "orders",
    "arrays",
    "weighing",
    "sorted",
    "epochs",
)

OF_ONE_RANK = ("lazy", "held")
"""Parts that Lightning can't share out, or that have another optimizer's state on each rank."""

SHARED_OUT = tuple(each for each in SOURCES if each not in ("buckets", "sorted"))
"""Sources that Lightning can share out: others have batches of their own."""

OPTIMIZERS = ("adam", "momentum", "lbfgs")
BY_HAND = ("two", "gathered", "turns", "sparse")
SCHEDULERS = ("none", "steps", "epochs", "cycle", "plateau", "plateau by steps")

Config = dict[str, Any]


@dataclass(frozen=True)
class Composition:
    """A training, and where it is stopped in turn.

    Attributes:
        config: what `make_run` takes.
        stops: such as `step 3`; `fail 3` is an error in that step's end.
        best: the number of the resume that goes back to the best checkpoint, if there is one.
        every: checkpoints are taken so often, beside those of the stops.
    """

    config: Config
    stops: tuple[str, ...]
    every: str
    best: int | None = None


def own(name: str, **arguments: Any) -> Config:
    """A config that names a class of `tests/resume/own`."""
    return {"class_path": name, "init_args": arguments}


@st.composite
def compositions(draw: st.DrawFn, ranks: int = 1) -> Composition:
    """Any training that Lightning can do without a stop."""
    data = draw(_data(ranks))
    model = draw(_model(ranks))
    by_hand = model["init_args"]["optimizer"] in BY_HAND
    kwargs = draw(_kwargs(data["init_args"], by_hand=by_hand))
    if "copied" in model["init_args"]["parts"] and kwargs["precision"] == "64-true":
        # Lightning converts no copy that it doesn't know of.
        kwargs["precision"] = "32-true"
    is_one_optimizer = model["init_args"]["optimizer"] in ("adam", "momentum")
    callbacks = draw(_callbacks(model["init_args"], is_one_optimizer=is_one_optimizer))
    if ranks > 1:
        # Some parts leave parameters without gradients.
        kwargs["strategy"] = "ddp_find_unused_parameters_true"
    stops = draw(st.lists(_stops(ranks), min_size=1, max_size=4 - ranks))
    return Composition(
        {
            "world_size": ranks,
            "model": model,
            "data_train": data,
            "kwargs": kwargs,
            "callbacks": callbacks,
            "after_fit": draw(st.sampled_from([None, None, None, "test"])),
        },
        tuple(stops),
        draw(st.sampled_from(["1 epochs", "2 epochs", "1 steps", "3 steps"])),
        draw(st.sampled_from([None, None, 1, 2])),
    )


def _stops(ranks: int) -> st.SearchStrategy[str]:
    """Places; an epoch has ten batches, which ranks share out."""
    steps = st.integers(1, 32 // ranks)
    validated = [each // ranks for each in (3, 5, 10, 15, 18, 20, 27, 30)]
    return st.one_of(
        steps.map("step {}".format),
        steps.map("fail {}".format),
        st.sampled_from(["validation 0", "test 1"]),
        st.sampled_from(validated).map("validation {}".format),
        st.sampled_from([10 // ranks, 20 // ranks]).map("epoch {}".format),
    )


@st.composite
def _model(draw: st.DrawFn, ranks: int) -> Config:
    allowed = PARTS if ranks == 1 else [each for each in PARTS if each not in OF_ONE_RANK]
    parts = draw(st.lists(st.sampled_from(allowed), max_size=4, unique=True))
    if "averaged" in parts and "exchanged" in parts:
        # Each would average what the other has swapped in.
        parts.remove("averaged")
    optimizer = draw(st.sampled_from([*OPTIMIZERS, *BY_HAND]))
    if optimizer == "lbfgs" and {"complex", "held", "joining"} & {*parts}:
        # It takes no complex weights and no second group, and has no end where the loss has none:
        # all NaN in ten steps.
        optimizer = "adam"
    scheduler = "none"
    if optimizer in ("adam", "momentum"):
        # The last one goes by a rank's own loss, and a checkpoint has one rank's optimizer.
        scheduler = draw(st.sampled_from(SCHEDULERS if ranks == 1 else SCHEDULERS[:-1]))
    elif optimizer in BY_HAND:
        scheduler = draw(st.sampled_from(["none", "epochs", "by hand"]))
    if "joining" in parts and scheduler in SCHEDULERS[3:]:
        # The others, like a stochastic average, know the groups that there were at first alone.
        scheduler = "none"
    skip = draw(st.sampled_from([None, None, None, 6]))
    return own("own_mixes.Mixed", parts=parts, optimizer=optimizer, scheduler=scheduler, skip=skip)


@st.composite
def _data(draw: st.DrawFn, ranks: int) -> Config:
    workers = draw(st.sampled_from([0] * 9 + [1])) if ranks == 1 else 0
    source = draw(st.sampled_from(SOURCES if ranks == 1 else SHARED_OUT))
    return own(
        "own_mixes.MixedData",
        source=source,
        noisy=draw(st.booleans()),
        # Of combined loaders all may be None at once, which no training step can take; the last
        # source looks into its batches.
        gap=ranks == 1 and source in SIZED[:-1] and draw(st.sampled_from([False, False, True])),
        own_generator=draw(st.booleans()),
        workers=workers,
        persistent=workers > 0 and draw(st.booleans()),
        validations=draw(st.sampled_from([1, 1, 2])),
    )


@st.composite
def _kwargs(draw: st.DrawFn, data: Config, *, by_hand: bool) -> Config:
    kwargs: Config = {"max_epochs": draw(st.integers(2, 3))}
    kwargs["log_every_n_steps"] = draw(st.sampled_from([1, 1, 3, 50]))
    is_sized = data["source"] in SIZED
    if data["source"] == "endless" or draw(st.integers(0, 4)) == 0:
        counts = st.integers(7, 9)
        shares = st.sampled_from([0.5, 0.8])
        kwargs["limit_train_batches"] = draw(st.one_of(counts, shares) if is_sized else counts)
    kwargs |= draw(_validations(is_sized=is_sized))
    if data["source"] != "endless":
        kwargs["reload_dataloaders_every_n_epochs"] = draw(st.sampled_from([0, 0, 0, 1, 2]))
    if not by_hand:
        kwargs["accumulate_grad_batches"] = draw(st.sampled_from([1, 1, 2, 3]))
        kwargs["gradient_clip_val"] = draw(st.sampled_from([None, 0.5]))
    kwargs["precision"] = draw(st.sampled_from(["32-true", "32-true", "64-true", "bf16-mixed"]))
    kwargs["num_sanity_val_steps"] = draw(st.sampled_from([0, 0, 2]))
    if draw(st.integers(0, 4)) == 0:
        kwargs["max_steps"] = draw(st.integers(5, 25))
    kwargs["min_epochs"] = draw(st.sampled_from([None, None, 2]))
    kwargs["min_steps"] = draw(st.sampled_from([None, None, 17]))
    if is_sized and "limit_train_batches" not in kwargs and draw(st.integers(0, 7)) == 0:
        kwargs["overfit_batches"] = draw(st.sampled_from([0.8, 5]))
    return kwargs


@st.composite
def _validations(draw: st.DrawFn, *, is_sized: bool) -> Config:
    """How often, and with how much."""
    kwargs: Config = {"limit_val_batches": draw(st.sampled_from([1.0, 1.0, 1, 0]))}
    kind = draw(st.sampled_from(["epoch", "second epoch", "steps", "over epochs", "share"]))
    if kind == "second epoch":
        kwargs["check_val_every_n_epoch"] = 2
    elif kind == "steps":
        kwargs["val_check_interval"] = draw(st.integers(2, 4))
    elif kind == "over epochs":
        kwargs["val_check_interval"] = draw(st.sampled_from([3, 7, 13]))
        kwargs["check_val_every_n_epoch"] = None
    elif kind == "share" and is_sized:
        kwargs["val_check_interval"] = 0.5
    return kwargs


@st.composite
def _callbacks(draw: st.DrawFn, model: Config, *, is_one_optimizer: bool) -> list[Config]:
    callbacks: list[Config] = []
    if draw(st.booleans()):
        callbacks.append(own("own_model.Counting"))
    kinds = {"own_odd.Shadowing": 4, "own_callbacks.Noting": 3, "own_callbacks.Average": 4}
    callbacks += [own(name) for name, most in kinds.items() if draw(st.integers(0, most)) == 0]
    if draw(st.integers(0, 2)) == 0:
        stopping = {"monitor": "train_loss_epoch", "patience": draw(st.integers(0, 2))}
        stopping["check_on_train_epoch_end"] = True
        callbacks.append({"name": "early_stopping", "kwargs": stopping})
    if model["scheduler"] != "none" and draw(st.integers(0, 2)) == 0:
        callbacks.append({"name": "lr_monitor", "kwargs": {}})
    averages = "averaged" in model["parts"] or "exchanged" in model["parts"]
    kind = draw(st.sampled_from(["", "", "", "ema", "stochastic", "accumulating"]))
    if "lazy" in model["parts"]:
        # No average can be taken of what has no values yet.
        kind = ""
    if kind == "ema" and not averages and "unfrozen" not in model["parts"]:
        callbacks.append({"name": "ema_weight_averaging", "kwargs": {"decay": 0.8}})
    elif kind == "stochastic" and is_one_optimizer and "joining" not in model["parts"]:
        stochastic = {"swa_lrs": 0.02, "swa_epoch_start": 1, "annealing_epochs": 2}
        callbacks.append({"name": "stochastic_weight_averaging", "kwargs": stochastic})
    return callbacks
