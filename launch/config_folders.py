"""Where config files are looked for."""

import os
from pathlib import Path


def config_folders(beside: Path) -> list[Path]:
    """Folders that may hold `models/`, `data/`, `trainer/`, `sites/`, first to last.

    That is the nearest folder above `beside` with a `models` folder in it, then
    `./config`, then `$PCM_CONFIG_DIR`.
    """
    here = beside.absolute()
    nearest = next(
        (folder for folder in (here, *here.parents) if (folder / "models").is_dir()), None
    )
    named = os.environ.get("PCM_CONFIG_DIR")
    folders = [nearest, Path("config").absolute(), Path(named) if named else None]
    return list(dict.fromkeys(folder for folder in folders if folder is not None))
