"""`pcm launch` and `pcm plan`: a grid file, its plan, and what comes of it."""

from launch.cli.finding import open_store
from launch.cli.options import (
    CodeOption,
    DryRun,
    Everything,
    ExecutorOption,
    GpusPerNode,
    Grid,
    Image,
    Json,
    MaxParallel,
    Nodes,
    Overrides,
    Partition,
    RunsDir,
    SiteOption,
    TasksPerNode,
    TimeLimit,
    TrackerOption,
    Wait,
    Yes,
)
from launch.cli.planning import Wishes, plan_of, print_plan, print_plan_json
from launch.cli.starting import launch_grid
from launch.executor import Executor


def launch(
    grid: Grid,
    *,
    executor: ExecutorOption = Executor.SLURM,
    site: SiteOption = None,
    partition: Partition = None,
    nodes: Nodes = None,
    gpus_per_node: GpusPerNode = None,
    tasks_per_node: TasksPerNode = None,
    time: TimeLimit = None,
    max_parallel: MaxParallel = None,
    image: Image = None,
    code: CodeOption = None,
    overrides: Overrides = None,
    tracker: TrackerOption = None,
    runs_dir: RunsDir = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Plan a grid, ask, and run what is new.

    Experiments that are done, running or waiting are left as they are; failed and stopped
    ones go on from their newest checkpoint. Flags win over the grid file, the grid file
    over the site.

    \b
    Examples:
      pcm launch config/grids/quickstart.yaml --partition gpu
      pcm launch config/grids/quickstart.yaml --executor local
      pcm launch config/grids/quickstart.yaml --set seed=7 --dry-run
    """
    wishes = Wishes(
        overrides=overrides or (),
        resources={
            "partition": partition,
            "nodes": nodes,
            "gpus_per_node": gpus_per_node,
            "tasks_per_node": tasks_per_node,
            "time": time,
            "max_parallel": max_parallel,
        },
        tracker=tracker,
        image=image,
        code=code,
    )
    if executor is Executor.DEBUG:
        wishes = wishes.for_one_rank()
    launch_grid(
        wishes.expand(grid),
        runs_dir=runs_dir,
        executor=executor,
        site=site,
        max_parallel=max_parallel,
        dry_run=dry_run,
        wait=wait,
        yes=yes,
        as_json=as_json,
    )


def plan(
    grid: Grid,
    *,
    site: SiteOption = None,
    partition: Partition = None,
    nodes: Nodes = None,
    gpus_per_node: GpusPerNode = None,
    tasks_per_node: TasksPerNode = None,
    time: TimeLimit = None,
    overrides: Overrides = None,
    runs_dir: RunsDir = None,
    everything: Everything = False,
    as_json: Json = False,
) -> None:
    """Show what launch would do, and the hours it asks for.

    \b
    Example:
      pcm plan config/grids/quickstart.yaml
    """
    wishes = Wishes(
        overrides=overrides or (),
        resources={
            "partition": partition,
            "nodes": nodes,
            "gpus_per_node": gpus_per_node,
            "tasks_per_node": tasks_per_node,
            "time": time,
        },
    )
    expanded = wishes.expand(grid)
    found = plan_of(expanded, open_store(runs_dir), site)
    if as_json:
        print_plan_json(found)
    else:
        print_plan(found, expanded, everything=everything)
