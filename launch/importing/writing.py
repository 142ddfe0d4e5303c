"""The files of an imported sweep."""

from dataclasses import dataclass
from pathlib import Path

from launch.grid import expand
from launch.importing.imported import Imported, sweep_name
from launch.importing.reading import read_foreign
from launch.store.yaml_text import dump_yaml
from pcm.errors import RefusedError
from pcm.run_dir import write_text


@dataclass(frozen=True, slots=True)
class ImportedSweep:
    """A sweep of another tool, written as files of pcm's.

    Attributes:
        tool: whose it was.
        grids: the grid files: one, or one for each of SEML's sub-configurations.
        files: what they name besides: a model, its data, a trainer.
        left: a line each for what is not carried over.
    """

    tool: str
    grids: tuple[Path, ...]
    files: tuple[Path, ...]
    left: tuple[str, ...]

    def points(self) -> int:
        """How many points the grids have.

        Raises:
            ConfigError: with what has to be mended by hand.
        """
        return sum(len(expand(grid).points) for grid in self.grids)


def import_sweep(file: Path, output: Path) -> ImportedSweep:
    """Read a file of another tool, and write what it comes to.

    Raises:
        ConfigError: it is of no tool that is known, or can't be read.
        RefusedError: a file that would be written is there.
    """
    return write_imported(read_foreign(file), output)


def write_imported(imported: Imported, target: Path) -> ImportedSweep:
    """Write a grid file, or one for each of several, and those beside them, all or none.

    Their folder is made if need be.

    Raises:
        RefusedError: one of them is there, or can't be written.
    """
    grids = {_with_suffix(target, suffix): data for suffix, data in imported.grids.items()}
    others = {target.with_name(name): data for name, data in imported.files.items()}
    contents = grids | others
    there = [str(path) for path in contents if path.exists()]
    if there:
        hint = "name another file with --output, or move it away"
        raise RefusedError(f"there is {', '.join(there)} already, nothing is overwritten", hint)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for path, data in contents.items():
            write_text(path, dump_yaml(data))
    except OSError as error:
        problem = f"can't write {target}: {error.strerror or error}"
        raise RefusedError(problem, "name another file with --output") from error
    return ImportedSweep(imported.tool, tuple(grids), tuple(others), tuple(imported.left))


def _with_suffix(target: Path, suffix: str) -> Path:
    return target.with_stem(f"{target.stem}-{sweep_name(suffix)}") if suffix else target
