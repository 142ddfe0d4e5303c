"""One experiment without a grid file: from its config files to what is launched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.damage import told_damage
from launch.executor import Code, Executor
from launch.grid import Grid, Spelling, single
from launch.proposal import Launch, Show, launch_now
from launch.site import chosen_site
from launch.store import Store
from launch.store.finding import open_store
from launch.store.named_checkpoints import checkpoint_file
from launch.telling import Tell, say_nothing
from launch.wishes import Wishes, wishes_of
from pcm.config.trackers import TRACKERS, names_in
from pcm.errors import UsageError


def train(
    model: str | Path,
    *,
    data_train: str | Path | None = None,
    data_val: str | Path | None = None,
    trainer: str | Path | None = None,
    name: str = "train",
    seed: int = 0,
    subsample_size: int | None = None,
    tags: str | Sequence[str] = (),
    project: str | None = None,
    checkpoint_of: str | None = None,
    checkpoint: str | None = None,
    executor: Executor | str = Executor.LOCAL,
    site: str | None = None,
    resources: Mapping[str, Any] | None = None,
    tracker: str | None = None,
    image: str | Path | None = None,
    code: Code | str | None = None,
    runs_dir: str | Path | None = None,
    wait: bool = False,
    show: Show = lambda _lines: None,
    tell: Tell = say_nothing,
) -> Launch:
    """Train one experiment from its config files, as `pcm train` does; here without `executor`.

    Training is a process of its own: nothing is imported for it here.

    Args:
        model: the model file; it and the others are looked for here and in the config folders.
        data_train: none where the model has loaders.
        project: the tracker's project, or experiment.
        checkpoint_of: an experiment whose weights to start from.
        checkpoint: which of its checkpoints; its newest for None.

    Raises:
        ConfigError: with everything that is wrong with the files.
        RefusedError: the executor doesn't take it.
    """
    where, store = Executor(executor), open_store(runs_dir)
    wishes = wishes_of(None, resources, tracker, image, code).for_executor(where)
    files = {"data_train": data_train, "data_val": data_val, "trainer": trainer}
    grid = single_grid(
        wishes,
        store,
        model=str(model),
        **{key: None if file is None else str(file) for key, file in files.items()},
        name=name,
        seed=seed,
        subsample_size=subsample_size,
        tags=[tags] if isinstance(tags, str) else tags,
        project=project,
        checkpoint_of=checkpoint_of,
        checkpoint=checkpoint,
    )
    with told_damage(tell):
        return launch_now(grid, store, where, chosen_site(site), show=show, tell=tell, wait=wait)


def single_grid(
    wishes: Wishes,
    store: Store,
    *,
    model: str,
    data_train: str | None,
    data_val: str | None,
    trainer: str | None,
    name: str,
    seed: int,
    subsample_size: int | None,
    tags: Sequence[str],
    project: str | None,
    checkpoint_of: str | None,
    checkpoint: str | None,
) -> Grid:
    """The experiment as a grid of one point; see `train`.

    Raises:
        ConfigError: with everything that is wrong with the files.
        NotFoundError: there is no such checkpoint.
        UsageError: a project without a tracker, a checkpoint's name without its experiment.
    """
    grid = single(
        name=name,
        model=model,
        data_train=data_train,
        data_val=data_val,
        trainer=trainer,
        seed=seed,
        subsample_size=subsample_size,
        tags=tags,
        tracker=wishes.choose_tracker(_tracker(wishes.tracker, project, wishes.spelling)),
        checkpoint=_checkpoint(store, checkpoint_of, checkpoint, wishes.spelling),
        resources=wishes.resources,
        defaults=wishes.default_resources,
        spelling=wishes.spelling,
    )
    return wishes.apply_to_container(wishes.apply_to_notify(grid))


def _tracker(
    names: str | None, project: str | None, spelling: Spelling
) -> list[dict[str, Any]] | None:
    """What a grid file would say; a project alone is Neptune's, as it was before the others."""
    if project is None:
        return None
    wanted = names_in("neptune" if names is None else names)
    if not any(TRACKERS.get(name, name) for name in wanted):
        neptune, wandb, mlflow = map(spelling.tracker.format, ("neptune", "wandb", "mlflow"))
        raise UsageError(
            f"{spelling.project} is for a tracker",
            f"leave it out, or say {neptune}, {wandb} or {mlflow}",
        )
    return [{"name": name, "project": project} for name in wanted]


def _checkpoint(
    store: Store, identifier: str | None, name: str | None, spelling: Spelling
) -> Path | None:
    """The file to start from; it is named in full, since it is a part of what is trained."""
    if identifier is None:
        if name is not None:
            raise UsageError(
                f"{spelling.checkpoint} needs an experiment", f"add {spelling.checkpoint_of}"
            )
        return None
    return checkpoint_file(store.find(identifier), name)
