"""`pcm image`: build Apptainer images, look into them, verify them."""

import time
from pathlib import Path
from typing import Annotated

import typer

from launch.cli.options import Json
from launch.image.kinds import Compression, Kind
from pcm.printable import printable

image = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="""Build Apptainer images to train in, look into them, verify them.

    \b
    Examples:
      pcm image build pcm.sif --kind gpu
      pcm image show pcm.sif
      pcm image verify pcm.sif
    """,
    short_help="Build, show and verify Apptainer images.",
)

ImageFile = Annotated[
    Path, typer.Argument(help="Image file.", metavar="FILE.sif", show_default=False)
]


@image.command()
def build(
    target: Annotated[Path, typer.Argument(help="Image file to make.", metavar="FILE.sif")] = (
        Path("pcm.sif")
    ),
    *,
    kind: Annotated[Kind, typer.Option(help="What the environment is for.")] = Kind.GPU,
    base: Annotated[
        str | None,
        typer.Option(
            help="Image with Python to start from; else the definition's own.", metavar="IMAGE"
        ),
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(help="Folder of wheels, for --kind offline.", metavar="DIR"),
    ] = None,
    environment: Annotated[
        Path | None,
        typer.Option(
            help="An environment that is there already: an image or an unpacked folder.",
            metavar="IMAGE",
        ),
    ] = None,
    compression: Annotated[
        Compression, typer.Option(help="zstd starts fastest, gzip is read by the oldest nodes.")
    ] = Compression.ZSTD,
    test: Annotated[
        bool, typer.Option(help="Let the image train a step before it is finished.")
    ] = True,
    project: Annotated[
        Path, typer.Option(help="Checkout with the code and `containers/`.", metavar="DIR")
    ] = Path(),
    cache_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of environments; else ~/.cache/pcm/images.", metavar="DIR"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build an image from this checkout, without privileges.

    The environment is built once and kept; a change of the code needs the last stage alone.
    What is up to date is not built again.

    \b
    Examples:
      pcm image build pcm.sif --kind gpu
      pcm image build pcm.sif --kind offline --wheels wheels --base python.sif
    """
    from launch.image.order import build_image
    from launch.report.terminal import print_json

    record = build_image(
        target,
        kind=kind,
        base=base,
        wheels=wheels,
        environment=environment,
        compression=compression,
        test=test,
        project=project,
        cache_dir=cache_dir,
        tell=_Teller(time.monotonic()),
    )
    if as_json:
        print_json({"image": str(target), "sha256": record.sha256, "size": record.size})
    else:
        typer.echo(f"{printable(str(target))}: {_gigabytes(record.size)}, sha256 {record.sha256}")


@image.command()
def show(file: ImageFile, *, as_json: Json = False) -> None:
    """Show what is in an image: versions, commit, size, digest.

    \b
    Example:
      pcm image show pcm.sif
    """
    from launch.image.order import show_image
    from launch.report.terminal import print_json

    found = show_image(file)
    facts = {"size": _gigabytes(found.size), "sha256": found.sha256, **found.labels}
    if as_json:
        record = {"image": str(file), "size": found.size, "sha256": found.sha256}
        print_json({**record, "labels": found.labels})
        return
    for name, value in facts.items():
        typer.echo(printable(f"{name:12} {value}"))


@image.command()
def verify(
    file: ImageFile,
    *,
    sha256: Annotated[
        str | None,
        typer.Option(help="What it should be; else what the build wrote down.", metavar="DIGEST"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that an image is what was built, and its signatures.

    \b
    Example:
      pcm image verify pcm.sif
    """
    from launch.image.order import verify_image
    from launch.report.terminal import print_json

    verified = verify_image(file, sha256)
    if as_json:
        print_json({"image": str(file), "sha256": verified.sha256, "signed": verified.signed})
        return
    signatures = "all signatures hold" if verified.signed else "not signed"
    typer.echo(f"{printable(str(file))}: sha256 {verified.sha256} as it should be; {signatures}")


class _Teller:
    """Prints how far a build is, with the seconds since it began."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self, line: str) -> None:
        typer.echo(f"[{time.monotonic() - self._began:5.0f} s] {printable(line)}", err=True)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
