"""Where a site's file is found."""

from pathlib import Path
from typing import TYPE_CHECKING

from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.site import Site


def find_site(name: str) -> "Site":
    """The site of a file, or of a name in `config/sites`.

    Raises:
        UsageError: there is no such file.
        ConfigError: the file is wrong.
    """
    from launch.grid.bases import config_folders
    from launch.site import load_site

    named = [folder / "sites" / f"{name}.yaml" for folder in config_folders(Path.cwd())]
    found = next((path for path in (Path(name), *named) if path.is_file()), None)
    if found is None:
        known = sorted({path.stem for place in named for path in place.parent.glob("*.yaml")})
        hint = f"choose one of {', '.join(known)}" if known else "--site takes a file as well"
        raise UsageError(f"no site '{name}'", hint)
    return load_site(found)
