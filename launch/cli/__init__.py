"""The command line: parse, call, print; nothing else.

`pcm --help` reads every module here, so they import Typer and little more at their top;
what a command needs is imported inside its function.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from launch.cli.application import Application
from launch.cli.commands.cancel import cancel
from launch.cli.commands.eff import eff
from launch.cli.commands.image import image
from launch.cli.commands.import_ import import_
from launch.cli.commands.init import init
from launch.cli.commands.launch import launch
from launch.cli.commands.logs import logs
from launch.cli.commands.plan import plan
from launch.cli.commands.report import report
from launch.cli.commands.results import results
from launch.cli.commands.resume import resume
from launch.cli.commands.show import show
from launch.cli.commands.site import site
from launch.cli.commands.status import status
from launch.cli.commands.structure import structure
from launch.cli.commands.sync import sync
from launch.cli.commands.train import TagsCommand, train
from launch.cli.commands.validate import validate
from launch.cli.commands.version import print_version
from launch.cli.commands.why import why
from launch.cli.group import PcmGroup

EPILOG = """\b
Exit codes:
  0    done
  1    an experiment failed
  2    the command line makes no sense
  3    a config is invalid
  4    the scheduler, the container runtime or the store refused
  5    no such experiment or sweep
  130  interrupted, or you answered no

\b
Example:
  pcm launch config/grids/quickstart.yaml --executor local
"""

app = Application(
    cls=PcmGroup,
    epilog=EPILOG,
    # Plain help: it costs half of what the decorated one does, and reads well in a pipe.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # --data_train is --data-train.
        "token_normalize_func": lambda token: token.replace("_", "-"),
    },
)


@app.callback()
def pcm(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="PCM_DEBUG", help="Show tracebacks.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """From one YAML grid to many PyTorch Lightning runs that never lose work."""
    assert isinstance(context.command, PcmGroup)
    context.command.debug = debug


GROUPS: Mapping[str, tuple[Callable[..., Any], ...]] = {
    "Before anything runs": (init, validate, plan, structure),
    "Run experiments": (launch, train, resume, cancel),
    "See what became of them": (status, show, why, logs, results, report, eff),
}

for title, group in GROUPS.items():
    for command in group:
        cls = TagsCommand if command is train else None
        app.command(cls=cls, rich_help_panel=title)(command)
app.command("import", rich_help_panel="Before anything runs")(import_)
app.add_typer(site, name="site", rich_help_panel="Before anything runs")
app.command(rich_help_panel="Trackers and images")(sync)
app.add_typer(image, name="image", rich_help_panel="Trackers and images")
