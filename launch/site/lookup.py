"""Where a site's file is found, and which site holds where nobody names one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.config_folders import config_folders
from launch.site.sites import Site, load_site
from launch.user_settings import read_settings, settings_file
from pcm.errors import UsageError

VARIABLE = "PCM_SITE"

NO_SITE = "none"
"""Turns off, on the command line, what the environment or the user's settings say."""

ADMIN_FOLDER = Path("/etc/pcm/sites")
"""Where an administrator puts the files of this cluster, for everybody."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which site holds.

    Attributes:
        name: a site's name, or the path of its file; None for one without any peculiarity.
        origin: who says so: `--site`, `$PCM_SITE` or the path of the user's settings.
    """

    name: str | None
    origin: str | None


def choose_site(flag: str | None) -> Choice:
    """The site of the command line, else of the environment, else of the user's settings.

    Raises:
        ConfigError: the user's settings are wrong.
    """
    variable = os.environ.get(VARIABLE)
    if flag is not None:
        choice = Choice(flag, "--site")
    elif variable:
        choice = Choice(variable, f"${VARIABLE}")
    else:
        settings = read_settings()
        choice = Choice(settings.site, settings.site and str(settings_file()))
    return Choice(None, choice.origin) if choice.name == NO_SITE else choice


def chosen_site(flag: str | None) -> str | None:
    """As `choose_site`, where nobody asks who says so.

    Raises:
        UsageError: the environment or the user's settings name a site that isn't there.
        ConfigError: the user's settings are wrong.
    """
    choice = choose_site(flag)
    if choice.name is not None and flag is None:
        site_file(choice)
    return choice.name


def site_file(choice: Choice) -> Path:
    """The file of a site that was chosen.

    Raises:
        UsageError: there is none; it says who has named it.
    """
    assert choice.name is not None
    try:
        return find_site_file(choice.name)
    except UsageError as error:
        raise UsageError(f"{error.message}, which {choice.origin} names", error.hint) from None


def site_of(name: str | None) -> Site:
    """The site that somebody names; one without any peculiarity for None.

    Raises:
        UsageError: there is no such site.
        ConfigError: its file is wrong.
    """
    return Site() if name is None else find_site(name)


def find_site(name: str) -> Site:
    """The site of a file, or of a name in one of `site_folders`.

    Raises:
        UsageError: there is no such file.
        ConfigError: the file is wrong.
    """
    return load_site(find_site_file(name))


def find_site_file(name: str) -> Path:
    """The file of a site, see `find_site`.

    Raises:
        UsageError: there is none.
    """
    named = [folder / f"{name}.yaml" for folder in site_folders()]
    found = next((path for path in (Path(name), *named) if path.is_file()), None)
    if found is None:
        known = sorted({path.stem for path in site_files()})
        hint = f"choose one of {', '.join(known)}" if known else "a site's file will do as well"
        raise UsageError(f"no site '{name}'", hint)
    return found


def site_folders() -> list[Path]:
    """Folders of site files, first to last: those of the config folders, the administrator's."""
    return [*(folder / "sites" for folder in config_folders(Path.cwd())), ADMIN_FOLDER]


def site_files() -> Iterator[Path]:
    """Every site that can be named; a name's first file is the one that counts."""
    seen = set()
    for folder in site_folders():
        for path in sorted(folder.glob("*.yaml")):
            if path.stem not in seen:
                seen.add(path.stem)
                yield path
