"""Which of many experiments have begun or were cancelled: one look at each folder of them."""

from pathlib import Path

from launch.store.layout import RunsRoot
from launch.store.records import names_in
from launch.store.spreading import is_part


def run_folders(root: RunsRoot) -> dict[str, str]:
    """The run directories that are there, by the experiments' ids."""
    return {name: f"{folder}/{name}" for name, folder in _folders(root.experiments_folder).items()}


def cancelled_ids(root: RunsRoot) -> set[str]:
    """The experiments that somebody has cancelled."""
    return {name.removesuffix(".json") for name in _folders(root.cancelled_folder)}


def parts(folder: Path) -> list[str]:
    """A folder that things are spread in, and those within it that have them."""
    return [str(folder), *(f"{folder}/{name}" for name in names_in(folder) if is_part(name))]


def _folders(folder: Path) -> dict[str, str]:
    """The names of all that is spread in a folder, and the folder that each lies in."""
    top, *others = parts(folder)
    found = {name: part for part in others for name in names_in(part)}
    # What is there twice counts where `place_in` finds it.
    return found | {name: top for name in names_in(top) if not is_part(name)}
