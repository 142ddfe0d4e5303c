"""Which sites can be named, and what one of them says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.site.lookup import Choice, choose_site, site_file, site_files
from launch.site.sites import load_site
from pcm.config.document import load_document
from pcm.errors import UsageError


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site that can be named.

    Attributes:
        used: whether it holds where nobody names one.
    """

    name: str
    file: Path
    used: bool


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site, and where it is written.

    Attributes:
        origin: who says that it holds, `$PCM_SITE` or the path of the user's settings; None
            where it was asked for by name.
        entries: what its file says.
    """

    name: str
    file: Path
    origin: str | None
    entries: Mapping[str, Any]


def known_sites(choice: Choice) -> list[KnownSite]:
    """The sites that can be named, and the one that holds wherever its file is.

    Raises:
        UsageError: the one that holds isn't there.
    """
    used = None if choice.name is None else site_file(choice)
    files = list(site_files())
    if used is not None and not any(path.samefile(used) for path in files):
        files.append(used)
    return [KnownSite(path.stem, path, used is not None and path.samefile(used)) for path in files]


def sites() -> list[KnownSite]:
    """The sites that can be named; one that holds by environment or settings says so.

    Raises:
        UsageError: the one that holds isn't there.
        ConfigError: your settings are wrong.
    """
    return known_sites(choose_site(None))


def site(name: str | Path | None = None) -> SiteFile:
    """What a site says, by its name or file; of the one that holds for None.

    Raises:
        UsageError: there is none.
        ConfigError: its file is wrong.
    """
    choice = choose_site(None) if name is None else Choice(str(name), "the command line")
    if choice.name is None:
        raise UsageError("no site holds here", "pcm site list shows which there are")
    path = site_file(choice)
    found, origin = load_site(path), choice.origin if name is None else None
    return SiteFile(found.name, path, origin, load_document(path).data)
