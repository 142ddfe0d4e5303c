"""`pcm site`: which sites there are, which one holds and who says so, and what is in it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from launch.cli.options import Json
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.site import Choice

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
    from launch.site.lookup import site_file, site_files

    choice = choose_site(None)
    used = None if choice.name is None else site_file(choice)
    files = list(site_files())
    if used is not None and not any(path.samefile(used) for path in files):
        files.append(used)
    rows = [
        {"name": path.stem, "file": str(path), "used": used is not None and path.samefile(used)}
        for path in files
    ]
    if as_json:
        print_json({"site": choice.name, "from": choice.origin, "sites": rows})
    else:
        _print_list(rows, choice)


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
    from launch.site import Choice, choose_site, load_site
    from launch.site.lookup import site_file
    from pcm.config.document import load_document

    choice = choose_site(name) if name is None else Choice(name, "the command line")
    if choice.name is None:
        raise UsageError("no site holds here", "pcm site list shows which there are")
    path = site_file(choice)
    found = load_site(path)
    origin = None if name is not None else choice.origin
    if as_json:
        entries = load_document(path).data
        print_json({"name": found.name, "file": str(path), "from": origin, "entries": entries})
        return
    typer.echo(f"{found.name}: {path}{'' if origin is None else f', from {origin}'}\n")
    typer.echo(path.read_text(encoding="utf-8-sig").rstrip())


def _print_list(rows: list[dict[str, Any]], choice: "Choice") -> None:
    from launch.report.table import Column, console, table

    columns = (Column("site"), Column("file", fold=True), Column("used"))
    marks = [(row["name"], row["file"], "yes" if row["used"] else "") for row in rows]
    if rows:
        console().print(table(columns, marks))
    if choice.name is None:
        typer.echo("None is used: no --site, no PCM_SITE, none in your settings.")
    else:
        typer.echo(f"{choice.name} is used, from {choice.origin}.")
