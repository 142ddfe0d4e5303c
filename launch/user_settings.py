"""What a user says once for all commands, in `~/.config/pcm/config.yaml`.

Most people have no such file, so most commands only look whether it is there.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pcm.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """A user's settings; None for what they leave open.

    Attributes:
        site: a site's name, or the path of its file.
        runs_dir: folder of all sweeps and experiments.
        tracker: where metrics go, where neither the command line nor the grid says; a name, a
            mapping, or a list, as in a grid file.
        account: Slurm account, where neither of them says; wins over a site's.
        notify: whom to tell of a sweep's first failure and its end, where no grid says.
        preload: modules that local launches load once for all their training processes.
    """

    site: str | None = None
    runs_dir: str | None = None
    tracker: Any = None
    account: str | None = None
    notify: tuple[str, ...] | None = None
    preload: tuple[str, ...] = ()


def settings_file() -> Path:
    """Where the settings are, whether or not they are there."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    if Path(named).is_absolute():
        return Path(named) / "pcm" / "config.yaml"
    try:
        home = Path.home()
    except RuntimeError:
        # A user id without an account, as in some containers; these live in /.
        home = Path("/")
    return home / ".config" / "pcm" / "config.yaml"


def read_settings() -> Settings:
    """The user's settings; nothing said where there is no file.

    Raises:
        ConfigError: with everything that is wrong with the file.
    """
    path = settings_file()
    return _load(path) if path.exists() and _says_anything(path) else Settings()


def _says_anything(path: Path) -> bool:
    """Whether there is more than comments, as after somebody has tried settings out."""
    if not path.is_file():
        return True
    lines = map(bytes.strip, path.read_bytes().splitlines())
    return any(line and not line.startswith(b"#") for line in lines)


def _load(path: Path) -> Settings:
    from pcm.config.document import load_document
    from pcm.config.structure import find_faults
    from pcm.config.structures.user_settings import SETTINGS

    document = load_document(path)
    faults = find_faults(document.data, SETTINGS, file=document.name, lines=document.lines)
    if faults:
        raise ConfigError(faults)
    entries: dict[str, Any] = {k: v for k, v in document.data.items() if v is not None}
    for key in ("site", "runs_dir"):
        if key in entries:
            entries[key] = _from(path.parent, entries[key], is_path=key == "runs_dir")
    if "notify" in entries:
        told = entries["notify"]
        entries["notify"] = (told,) if isinstance(told, str) else tuple(told)
    if "preload" in entries:
        entries["preload"] = tuple(entries["preload"])
    return Settings(**entries)


def _from(folder: Path, text: str, *, is_path: bool) -> str:
    """A path as the file means it: not from wherever one happens to be; a name as it is."""
    if not is_path and "/" not in text and not text.endswith((".yaml", ".yml")):
        return text
    return str(folder / Path(text).expanduser())
