"""Which tool a file is of, and what it comes to as a grid."""

from pathlib import Path

from launch.grid import expand
from launch.importing.hydra import import_hydra, is_hydra
from launch.importing.imported import Imported
from launch.importing.lightning_cli import import_lightning_cli, is_lightning_cli
from launch.importing.sbatch_script import import_sbatch, is_sbatch
from launch.importing.seml import import_seml, is_seml
from launch.store.yaml_text import dump_yaml
from pcm.config.document import load_document
from pcm.errors import ConfigError, Fault, RefusedError
from pcm.run_dir import write_text

_READERS = (
    (is_hydra, import_hydra),
    (is_seml, import_seml),
    (is_lightning_cli, import_lightning_cli),
)


def read_foreign(path: Path) -> Imported:
    """The grid that a file of another tool comes to.

    Raises:
        ConfigError: it is of none that is known, or can't be read.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if is_sbatch(text):
        return import_sbatch(path, text)
    data = load_document(path).data
    for is_one, read in _READERS:
        if isinstance(data, dict) and is_one(data):
            try:
                return read(data)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                # Its tool would refuse it as well, and says where.
                problem = f"not as its tool wants it: {error!r}"
                raise ConfigError([Fault(problem, file=str(path))]) from None
    expected = (
        "Hydra's multirun.yaml, a SEML or LightningCLI config, or a script with #SBATCH lines"
    )
    raise ConfigError([Fault("of no tool that is known", file=str(path), expected=expected)])


def write_imported(imported: Imported, target: Path) -> list[Path]:
    """Write a grid file and those beside it, all or none.

    Raises:
        RefusedError: one of them is there.
    """
    contents = {target: imported.grid}
    contents |= {target.with_name(name): data for name, data in imported.files.items()}
    there = [str(path) for path in contents if path.exists()]
    if there:
        hint = "name another file with --output, or move it away"
        raise RefusedError(f"there is {', '.join(there)} already, nothing is overwritten", hint)
    for path, data in contents.items():
        write_text(path, dump_yaml(data))
    return list(contents)


def count_points(target: Path) -> int:
    """How many points an imported grid has.

    Raises:
        ConfigError: with what has to be mended by hand.
    """
    return len(expand(target).points)
