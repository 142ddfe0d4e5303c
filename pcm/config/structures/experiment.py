"""The config of one experiment: a model, its data, a trainer, and how they fit together; or a
script.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pcm.config.shapes import COUNT, Choice, Meaning, Record
from pcm.config.structure import ConfigStructure, Finding, Inspector
from pcm.config.structures.callbacks import known_name
from pcm.config.structures.condition_embeddings import check_conditions, embeddings_of
from pcm.config.structures.data import DATA
from pcm.config.structures.deepspeed_options import deepspeed_stage
from pcm.config.structures.grid import SEED
from pcm.config.structures.lightning_callbacks import LIGHTNING_CALLBACKS
from pcm.config.structures.model import MODEL
from pcm.config.structures.own import (
    HYDRA_CLASS,
    OWN_CLASS,
    OWN_MODEL,
    means_own_class,
    names_hydra_class,
    names_own_class,
)
from pcm.config.structures.run_command import RUN, SCRIPT_OF_POINT, names_script
from pcm.config.structures.strategies import check_shards, is_sharded
from pcm.config.structures.trainer import TRAINER
from pcm.config.structures.wiring import (
    Links,
    entry,
    items_of,
    links_of,
    under,
    unknown_name,
)
from pcm.config.wording import shown


def _own_or(ours: ConfigStructure, own: ConfigStructure) -> ConfigStructure:
    """A class of the user's own, or a structure of ours."""
    return Choice(names_hydra_class, HYDRA_CLASS, Choice(means_own_class, own, ours))


MODEL_FILE: ConfigStructure = _own_or(MODEL, OWN_MODEL)
DATA_FILE: ConfigStructure = _own_or(DATA, OWN_CLASS)

_SET_BY_MODEL = ("max_epochs", "check_val_every_n_epoch")
_NOT_FOR_CHAINS: Mapping[str, tuple[Any, str]] = {
    "gradient_clip_val": (None, "a chain steps its optimizers itself, and clips no gradients"),
    "accumulate_grad_batches": (1, "a chain steps its optimizers after every batch"),
}
"""Trainer kwargs that Lightning refuses a chain, with the value that changes nothing, and why."""


def _check_experiment(config: Any, inspector: Inspector) -> Iterable[Finding]:
    if not isinstance(config, dict):
        return ()
    sections = [config.get(name) for name in ("model", "data_train", "data_val", "trainer")]
    findings = inspector.once(_check_sections, *sections)
    return [*findings, *_check_ranks(config.get("world_size"), sections[-1])]


def _check_ranks(world_size: Any, trainer: Any) -> Iterator[Finding]:
    if type(world_size) is not int:
        return
    yield from under(check_shards(entry(trainer, "kwargs"), world_size), "trainer", "kwargs")
    if world_size < 2:
        return
    interval = entry(entry(trainer, "kwargs"), "val_check_interval")
    if isinstance(interval, str | dict):
        problem = f"the clocks of {world_size} ranks are not one"
        place = ("trainer", "kwargs", "val_check_interval")
        yield Finding(place, problem, shown(interval), "a number of batches, or a share of them")
    yield from _check_of_one_rank(trainer, world_size)
    devices = entry(trainer, "devices")
    if isinstance(devices, list) and devices and world_size % len(devices):
        problem = f"{len(devices)} devices a node can't be those of {world_size} ranks"
        yield Finding(
            ("trainer", "devices"), problem, shown(devices), "one for each rank of a node"
        )


def _check_of_one_rank(trainer: Any, world_size: int) -> Iterator[Finding]:
    for index, callback in enumerate(items_of(trainer, "callbacks")):
        known = LIGHTNING_CALLBACKS.get(name := known_name(callback) or "")
        if known is not None and known.one_rank:
            problem = f"{name} looks on one rank alone, and there are {world_size}"
            yield Finding(("trainer", "callbacks", index), problem, expected="one rank")


def _check_sections(
    inspector: Inspector, model: Any, data_train: Any, data_val: Any, trainer: Any
) -> list[Finding]:
    findings = [*_check_data_sections(model, data_train, data_val)]
    findings += _check_test(trainer, model, data_train)
    if not isinstance(model, dict) or names_hydra_class(model):
        return findings
    if means_own_class(model):
        return [*findings, *_check_batch_size(data_train)]
    findings += _check_optimizing(trainer, items_of(model, "optimizers"))
    kwargs = inspector.once(_check_chain_kwargs, entry(trainer, "kwargs"))
    findings += under(kwargs, "trainer", "kwargs")
    chain, commands = items_of(model, "chain"), items_of(model, "commands")
    callbacks, links = items_of(trainer, "callbacks"), links_of(model, inspector)
    plots = inspector.once(_check_plots, callbacks, commands, links)
    findings += under(plots, "trainer", "callbacks")
    embeddings = embeddings_of(inspector, chain, commands)
    for name, data in (("data_train", data_train), ("data_val", data_val)):
        findings += under(check_conditions(inspector, data, embeddings), name)
    return findings


def _check_data_sections(model: Any, data_train: Any, data_val: Any) -> Iterator[Finding]:
    if data_train is None:
        yield from _check_without_data(model, data_val)
        return
    if names_own_class(data_train) and data_val is not None:
        expected = "null: the data module of data_train serves both"
        yield Finding(("data_val",), "a second data module", expected=expected)
    if data_val is None and not (means_own_class(data_train) or names_hydra_class(data_train)):
        yield Finding(("data_val",), "no data to validate on", "null", "a data file")


def _check_without_data(model: Any, data_val: Any) -> Iterator[Finding]:
    """A model of one's own may bring its loaders, as Lightning allows it."""
    if not (means_own_class(model) or names_hydra_class(model)):
        expected = "a data file; only a model class of one's own may bring its loaders"
        yield Finding(("data_train",), "no data to train on", "null", expected)
    elif data_val is not None:
        expected = "null: the model's own loaders serve both"
        yield Finding(("data_val",), "data to validate on alone", expected=expected)


def _check_test(trainer: Any, model: Any, data_train: Any) -> Iterator[Finding]:
    of_own = means_own_class(model) and (data_train is None or means_own_class(data_train))
    if entry(trainer, "after_fit") == "test" and not of_own:
        expected = "a model and a data module of your own, which know how to test"
        yield Finding(("trainer", "after_fit"), "nothing to test", "test", expected)


def _check_batch_size(data_train: Any) -> Iterator[Finding]:
    if isinstance(data_train, dict) and not means_own_class(data_train):
        problem = "no batch size: a model class of one's own has no place for it"
        expected = "a data class of your own too, which knows its batch size"
        yield Finding(("data_train",), problem, expected=expected)


def _check_optimizing(trainer: Any, optimizers: list[Any]) -> Iterator[Finding]:
    """Callbacks that need Lightning to step the optimizers, or to have but one."""
    for index, callback in enumerate(items_of(trainer, "callbacks")):
        name, place = known_name(callback), ("trainer", "callbacks", index)
        known = LIGHTNING_CALLBACKS.get(name or "")
        if known is not None and known.steps_optimizers:
            yield Finding(place, f"a chain steps its optimizers itself, which {name} can't")
        if known is not None and known.finds:
            problem = f"{name} sets an attribute of a module, and a chain has its model file"
            yield Finding(place, problem, expected="the value in the model file, or as an axis")
        if name == "stochastic_weight_averaging" and len(optimizers) != 1:
            yield Finding(place, f"{name} works with one optimizer", str(len(optimizers)), "one")


def _check_chain_kwargs(_inspector: Inspector, kwargs: Any) -> list[Finding]:
    if not isinstance(kwargs, dict):
        return []
    findings = [
        Finding((key,), f"'{key}' is the model's", shown(kwargs[key]), f"model.training.{key}")
        for key in _SET_BY_MODEL
        if key in kwargs
    ]
    for key, (harmless, reason) in _NOT_FOR_CHAINS.items():
        if kwargs.get(key, harmless) != harmless:
            findings.append(Finding((key,), reason, shown(kwargs[key]), f"no {key}"))
    strategy = kwargs.get("strategy")
    if is_sharded(strategy) or deepspeed_stage(strategy) is not None:
        problem = "a chain can't be shared out to ranks"
        findings.append(Finding(("strategy",), problem, shown(strategy), "auto, or a class of ddp"))
    return findings


def _check_plots(
    inspector: Inspector, callbacks: list[Any], commands: list[Any], links: Links
) -> list[Finding]:
    findings: list[Finding] = []
    for index, callback in enumerate(callbacks):
        command = entry(entry(callback, "cfg"), "command")
        if entry(callback, "name") == "neptune_plot":
            found = _check_plot_command(command, commands, links, inspector)
            findings += under(found, index, "cfg", "command")
    return findings


def _check_plot_command(
    plot_command: Any, commands: list[Any], links: Links, inspector: Inspector
) -> Iterator[Finding]:
    name, dynamic = entry(plot_command, "name"), entry(plot_command, "dynamic_kwargs") or {}
    named = {key: item for item in commands if isinstance(key := entry(item, "command_name"), str)}
    yield from unknown_name(name, named, "command", ("name",))
    if not isinstance(name, str) or name not in named or not isinstance(dynamic, dict):
        return
    steps = items_of(named[name], "processing_steps")
    used = [link for step in steps if isinstance(link := entry(step, "link"), str)]
    for link_name in dynamic:
        what = f"link of the command '{name}'"
        yield from unknown_name(link_name, used, what, ("dynamic_kwargs", link_name))
    for step in steps:
        yield from _check_dynamic_kwargs(step, dynamic, links, inspector)


def _check_dynamic_kwargs(
    step: Any, dynamic: Mapping[str, Any], links: Links, inspector: Inspector
) -> Iterator[Finding]:
    name, method, kwargs = (entry(step, key) for key in ("link", "method", "kwargs"))
    link = links.named(name)
    structure = None if link is None else link.method(method)
    added = dynamic.get(name) or {} if link is not None else {}
    if structure is None or not isinstance(kwargs, dict) or not isinstance(added, dict):
        return
    for finding in inspector.inspect({**kwargs, **added}, structure):
        # What the step itself has wrong is reported where the step is written.
        if not finding.keys or finding.keys[0] in added or finding.keys[0] not in kwargs:
            problem = f"{finding.problem} for {name}.{method}"
            yield finding.under("dynamic_kwargs", name)._replace(problem=problem)


_OF_ANY_EXPERIMENT: Mapping[str, ConfigStructure] = {
    "schema_version": int,
    "seed": SEED,
    "subsample_size": (None, COUNT),
    "world_size": COUNT,
}

_EXPERIMENT_OF_FILES = Meaning(
    Record(
        {
            **_OF_ANY_EXPERIMENT,
            "model": MODEL_FILE,
            "data_train": (None, DATA_FILE),
            "trainer": TRAINER,
        },
        {"data_val": (None, DATA_FILE)},
    ),
    _check_experiment,
)

_EXPERIMENT_OF_SCRIPT = Record({**_OF_ANY_EXPERIMENT, RUN: SCRIPT_OF_POINT})

EXPERIMENT: ConfigStructure = Choice(names_script, _EXPERIMENT_OF_SCRIPT, _EXPERIMENT_OF_FILES)
