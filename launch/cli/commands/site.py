"""`pcm site`: which sites there are, which one holds and who says so, and what is in it."""

from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import Json

if TYPE_CHECKING:
    from launch.site import Choice
    from launch.site.known import KnownSite

site = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="""List sites, show one.

    \b
    Examples:
      pcm site list
      pcm site show gres
    """,
    short_help="List sites, and show what is in one.",
)


@site.command("list")
def list_sites(*, as_json: Json = False) -> None:
    """List the sites that can be named, and which one holds.

    It is that of --site, else of $PCM_SITE, else of your settings.

    \b
    Example:
      pcm site list
    """
    from launch.report.terminal import print_json
    from launch.site import choose_site
    from launch.site.known import known_sites

    choice = choose_site(None)
    found = known_sites(choice)
    if as_json:
        rows = [{"name": each.name, "file": str(each.file), "used": each.used} for each in found]
        print_json({"site": choice.name, "from": choice.origin, "sites": rows})
    else:
        _print_list(found, choice)


@site.command("show")
def show_site(
    name: Annotated[
        str | None,
        typer.Argument(help="Its name or file; without, the one that holds.", metavar="NAME|FILE"),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show what a site says, and where it is written.

    \b
    Examples:
      pcm site show
      pcm site show gres
    """
    from launch.report.terminal import print_json
    from launch.site.known import site as site_named

    found = site_named(name)
    place = {"name": found.name, "file": str(found.file), "from": found.origin}
    if as_json:
        print_json({**place, "entries": found.entries})
        return
    by = "" if found.origin is None else f", from {found.origin}"
    typer.echo(f"{found.name}: {found.file}{by}\n")
    typer.echo(found.file.read_text(encoding="utf-8-sig").rstrip())


def _print_list(found: "list[KnownSite]", choice: "Choice") -> None:
    from launch.report.table import Column, print_table, table

    columns = (Column("site"), Column("file", fold=True), Column("used"))
    rows = [(each.name, str(each.file), "yes" if each.used else "") for each in found]
    if rows:
        print_table(table(columns, rows))
    if choice.name is None:
        typer.echo("None is used: no --site, no PCM_SITE, none in your settings.")
    else:
        typer.echo(f"{choice.name} is used, from {choice.origin}.")
