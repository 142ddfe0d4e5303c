"""`pcm train`: one experiment without a grid file."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from launch.cli.commands.launch import launch_grid
from launch.cli.options import CodeOption, DryRun, Image, RunsDir, SiteOption, TrackerOption
from launch.cli.resource_options import with_resources
from launch.executor import Executor


class TagsCommand(TyperCommand):
    """A command whose `--tags` takes as many words as follow it: `--tags vae latent`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat `--tags` before each of its words."""
        return super().parse_args(ctx, spread(args, "--tags"))


def spread(words: list[str], option: str) -> list[str]:
    """`--tags a b --seed 1` -> `--tags a --tags b --seed 1`."""
    result: list[str] = []
    is_inside = False
    for word in words:
        if word.startswith("-"):
            is_inside = word == option
            result += [] if is_inside else [word]
        else:
            result += [option, word] if is_inside else [word]
    return result


@with_resources()
def train(
    *,
    model_cfg: Annotated[str, typer.Option(help="Model file.", metavar="FILE")],
    data_train: Annotated[
        str | None,
        typer.Option(help="Training data file; none if the model has loaders.", metavar="FILE"),
    ] = None,
    data_val: Annotated[
        str | None, typer.Option(help="Validation data file.", metavar="FILE")
    ] = None,
    trainer_cfg: Annotated[str | None, typer.Option(help="Trainer file.", metavar="FILE")] = None,
    experiment_name: Annotated[
        str, typer.Option(help="Name of the experiment.", metavar="NAME")
    ] = "train",
    project_name: Annotated[
        str | None,
        typer.Option(
            help="The tracker's project, or experiment; Neptune's without --tracker.",
            metavar="NAME",
        ),
    ] = None,
    tags: Annotated[
        list[str] | None, typer.Option(help="Tags: one word or more.", metavar="TAG...")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random draw.", metavar="N")] = 0,
    subsample_size: Annotated[
        int | None, typer.Option(help="Train on so many samples alone.", min=1, metavar="N")
    ] = None,
    checkpoint_experiment_id: Annotated[
        str | None, typer.Option(help="Start from weights of this experiment.", metavar="ID")
    ] = None,
    checkpoint_name: Annotated[
        str | None,
        typer.Option(help="Which of its checkpoints; the newest without.", metavar="NAME"),
    ] = None,
    executor: Annotated[Executor, typer.Option(help="Where to run.")] = Executor.LOCAL,
    site: SiteOption = None,
    resources: Mapping[str, Any],
    image: Image = None,
    code: CodeOption = None,
    tracker: TrackerOption = None,
    runs_dir: RunsDir = None,
    dry_run: DryRun = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print what the experiment is made of.")
    ] = False,
) -> None:
    """Train one experiment from its config files.

    Files are looked for here and in config/models, config/data and config/trainer.

    \b
    Example:
      pcm train --model-cfg pcm-cvae.yaml --data-train mnist-train.yaml \\
          --data-val mnist-test.yaml --tags vae first --seed 1
    """
    from launch.single_experiment import single_grid
    from launch.site import chosen_site
    from launch.store.finding import open_store
    from launch.user_settings import read_settings
    from launch.wishes import Wishes

    store, settings = open_store(runs_dir), read_settings()
    wishes = Wishes(resources=resources, tracker=tracker, image=image, code=code, settings=settings)
    grid = single_grid(
        wishes.for_executor(executor),
        store,
        model=model_cfg,
        data_train=data_train,
        data_val=data_val,
        trainer=trainer_cfg,
        name=experiment_name,
        seed=seed,
        subsample_size=subsample_size,
        tags=tags or (),
        project=project_name,
        checkpoint_of=checkpoint_experiment_id,
        checkpoint=checkpoint_name,
    )
    if verbose:
        from launch.store.yaml_text import dump_yaml

        typer.echo(dump_yaml(grid.points[0].config), nl=False)
    launch_grid(
        grid,
        runs_dir=runs_dir,
        executor=executor,
        site=chosen_site(site),
        max_parallel=resources["max_parallel"],
        dry_run=dry_run,
        yes=True,
    )
