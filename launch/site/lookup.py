"""Where a site's file is found."""

from pathlib import Path

from launch.config_folders import config_folders
from launch.site.sites import Site, load_site
from pcm.errors import UsageError


def site_of(name: str | None) -> Site:
    """The site that somebody names; one without any peculiarity for None.

    Raises:
        UsageError: there is no such site.
        ConfigError: its file is wrong.
    """
    return Site() if name is None else find_site(name)


def find_site(name: str) -> Site:
    """The site of a file, or of a name in `config/sites`.

    Raises:
        UsageError: there is no such file.
        ConfigError: the file is wrong.
    """
    named = [folder / "sites" / f"{name}.yaml" for folder in config_folders(Path.cwd())]
    found = next((path for path in (Path(name), *named) if path.is_file()), None)
    if found is None:
        known = sorted({path.stem for place in named for path in place.parent.glob("*.yaml")})
        hint = f"choose one of {', '.join(known)}" if known else "--site takes a file as well"
        raise UsageError(f"no site '{name}'", hint)
    return load_site(found)
