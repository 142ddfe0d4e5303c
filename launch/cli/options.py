"""Options that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

from launch.executor import Code, Executor
from launch.status.state import State

RunsDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of all sweeps and experiments; else $PCM_RUNS_DIR, else your settings', "
        "else ./runs.",
        metavar="DIR",
    ),
]

ExecutorOption = Annotated[
    Executor, typer.Option(help="Where to run: on Slurm, here, or here inside this process.")
]

TrackerOption = Annotated[
    str | None,
    typer.Option(
        help="Where metrics go besides the run directory: tensorboard, wandb, mlflow, trackio, "
        "neptune, csv (nowhere else), none, or a class of one's own, module:Class; several with "
        "commas between. Wins over the grid file.",
        metavar="NAME[,NAME]",
    ),
]

SiteOption = Annotated[
    str | None,
    typer.Option(
        help="A cluster's file, or its name; else $PCM_SITE, else your settings'.",
        metavar="NAME|FILE",
    ),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and what would be run; do nothing.")
]

Wait = Annotated[
    bool, typer.Option("--wait", help="On Slurm: follow the experiments until all have ended.")
]

Everything = Annotated[bool, typer.Option("--all", help="Show every row.")]

StateOption = Annotated[
    list[State] | None,
    typer.Option("--state", help=f"Only these, repeatable: {', '.join(State)}.", metavar="STATE"),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

GridFile = Annotated[Path, typer.Argument(help="Grid file.", metavar="GRID", show_default=False)]

Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Override a value of every point, e.g. model.training.max_epochs=3; repeatable.",
        metavar="PATH=VALUE",
    ),
]

SweepOrId = Annotated[
    str,
    typer.Argument(
        help="Id, or a unique beginning of one; or the name of a sweep.",
        metavar="SWEEP|ID",
        show_default=False,
    ),
]

SweepsOrIds = Annotated[
    list[str],
    typer.Argument(
        help="Sweep names and experiment ids, or unique beginnings of ids.",
        metavar="SWEEP|ID...",
        show_default=False,
    ),
]

SweepsOrIdsOrAll = Annotated[
    list[str] | None,
    typer.Argument(
        help="Sweeps or experiments; everything without.",
        metavar="SWEEP|ID...",
        show_default=False,
    ),
]

Image = Annotated[str | None, typer.Option(help="Apptainer image to run in.", metavar="FILE.sif")]

CodeOption = Annotated[
    Code | None,
    typer.Option(
        help="Run the code that is in the image or installed, or a copy of this checkout as it is."
    ),
]
