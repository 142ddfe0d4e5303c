"""Looking with Lightning's finders: each in a training of its own, which is then thrown away."""

import gc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.utilities.parsing import lightning_hasattr

from pcm import generators
from pcm.config.structures.callbacks import changes_result
from pcm.config.structures.strategies import is_sharded
from pcm.console import tell
from pcm.internals import loops, searching
from pcm.rank.progress import Progress
from pcm.rank.ranks import Ranks
from pcm.rank.task import Task
from pcm.run_dir.found import FoundRecord
from pcm.training.agreement import Agreement, Wish, agreement_of
from pcm.training.building.build import build_data, build_model, build_trainer
from pcm.training.checkpoints.starting import StartingPoint
from pcm.training.faults import config_error
from pcm.training.finding.finders import Finders, no_attribute, set_values, split
from pcm.training.session import StopTraining
from pcm.training.training_logger import TrainingLogger

Config = dict[str, Any]


def look_before_training(
    trainer: Trainer,
    task: Task,
    config: Config,
    device: torch.device,
    start: StartingPoint,
    *,
    progress: Progress,
    logger: TrainingLogger,
    group: dist.ProcessGroup | None,
) -> None:
    """Have this Trainer's finders look before it trains, if nobody has looked yet."""

    def wish() -> Wish:
        return Wish.STOP if task.stop.is_asked else Wish.GO_ON

    search = Search(
        config,
        task.ranks,
        device,
        agreement=agreement_of(wish, group, task.ranks.rank),
        progress=progress,
        logger=logger,
        group=group,
    )
    Finders(task, start, group, search).take_over(trainer)


class Search:
    """Looks with one finder after another, each given what those before it have found.

    Args:
        agreement: whether to stop, for all ranks.
    """

    def __init__(
        self,
        config: Config,
        ranks: Ranks,
        device: torch.device,
        *,
        agreement: Agreement,
        progress: Progress,
        logger: TrainingLogger,
        group: dist.ProcessGroup | None,
    ) -> None:
        self._config = _for_search(config)
        self._ranks = ranks
        self._device = device
        self._agreement = agreement
        self._progress = progress
        self._logger = logger
        self._group = group

    def __call__(self, finders: Sequence[Callback]) -> FoundRecord:
        """What they find.

        Raises:
            ConfigError: they can't look.
            StopTraining: a stop came first; the next attempt starts over.
        """
        found = FoundRecord(self._logger.attempt.number)
        kwargs = self._config["trainer"]["kwargs"]
        if is_sharded(kwargs.get("strategy")):
            problem = f"{type(finders[0]).__name__} can't look with weights in shards"
            raise config_error("trainer.callbacks", problem, "another strategy, or no finder")
        if kwargs.get("fast_dev_run"):
            tell("warning: nothing is looked for before a `fast_dev_run`")
            return found
        self._progress.phase = "searching"
        for finder in finders:
            tell(f"{type(finder).__name__} looks before training")
            found = self._look(type(finder), found)
            _free_memory()
        if self._agreement.settle() is Wish.STOP:
            raise StopTraining
        self._progress.phase = "starting"
        return found

    def _look(self, kind: type[Callback], found: FoundRecord) -> FoundRecord:
        config = self._config
        generators.seed_all(config["seed"])
        model, data = build_model(config["model"]), build_data(config)
        trainer = build_trainer(
            config,
            self._ranks,
            self._device,
            model,
            callbacks=[],
            files=TorchCheckpointIO(),
            logger=self._logger,
            group=self._group,
        )
        look = _Look(kind, found)

        def prepare() -> None:
            look.prepare(model)
            generators.seed_rank(config["seed"], self._ranks.rank)

        searching.only_search(trainer)
        searching.after_attaching(trainer, lambda: look.take_part(trainer))
        searching.before_optimizers(trainer, prepare)
        loops.take_over(trainer, self._stop_if_asked, self._stop_if_asked)
        trainer.fit(model, datamodule=data)
        return look.found()

    def _stop_if_asked(self) -> None:
        self._progress.chances += 1
        if self._agreement.poll() is Wish.STOP:
            raise StopTraining


class _Look:
    """One finder's, in a training that ends with it.

    Args:
        kind: the finder's class; the Trainer has one of its own.
        found: what others have found.
    """

    def __init__(self, kind: type[Callback], found: FoundRecord) -> None:
        self._kind = kind
        self._found = found
        self._finder: Callback | None = None
        self._name = ""

    def take_part(self, trainer: Trainer) -> None:
        """Leave the Trainer this finder alone, as the last of its callbacks."""
        finders, others = split(trainer)
        self._finder = next(each for each in finders if type(each) is self._kind)
        searching.end_after_search(self._finder)
        trainer.callbacks = [*others, self._finder]  # type: ignore[attr-defined]  # set at run time

    def prepare(self, model: LightningModule) -> None:
        """Give the module what others have found.

        Raises:
            ConfigError: there is nothing in it that this one could look for.
        """
        assert self._finder is not None
        finder = self._finder
        set_values(model, self._found)
        if isinstance(finder, LearningRateFinder) and not model.automatic_optimization:
            problem = "LearningRateFinder can't look where a module steps its optimizers itself"
            raise config_error("trainer.callbacks", problem, "set the rate in the config")
        names = searching.wanted_names(finder)
        held = [name for name in names if lightning_hasattr(model, name)]
        if not held:
            raise no_attribute(names[0])
        self._name = held[0]

    def found(self) -> FoundRecord:
        """What others have found, and this one."""
        finder, found = self._finder, self._found
        if isinstance(finder, BatchSizeFinder) and finder.optimal_batch_size is not None:
            size = int(finder.optimal_batch_size)
            return replace(found, batch_size={**found.batch_size, self._name: size})
        if isinstance(finder, LearningRateFinder) and finder.optimal_lr is not None:
            rate = finder.optimal_lr.suggestion()
            if rate is not None:
                rates = {**found.learning_rate, self._name: float(rate)}
                return replace(found, learning_rate=rates)
            tell(f"warning: too few steps to find `{self._name}` in: the module's own stays")
        return found


def _for_search(config: Config) -> Config:
    """The same training, without what watches it."""
    trainer = config.get("trainer") or {}
    kwargs = {key: each for key, each in (trainer.get("kwargs") or {}).items() if key != "profiler"}
    callbacks = [each for each in trainer.get("callbacks") or [] if changes_result(each)]
    kwargs["enable_progress_bar"] = False
    return {**config, "trainer": {**trainer, "kwargs": kwargs, "callbacks": callbacks}}


def _free_memory() -> None:
    """A search for the largest batch has filled the GPU, and training is to have all of it."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
