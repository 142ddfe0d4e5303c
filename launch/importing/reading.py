"""Which tool a file is of, and what it comes to as a grid."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from launch.importing.hydra import import_hydra, is_hydra
from launch.importing.hydra_config import import_hydra_config, is_hydra_config
from launch.importing.imported import Imported
from launch.importing.lightning_cli import import_lightning_cli, is_lightning_cli
from launch.importing.sbatch_script import import_sbatch, is_sbatch
from launch.importing.seml import import_seml, is_seml
from launch.importing.seml_parameters import REMOVED
from pcm.config.document import load_document, parse_document
from pcm.errors import ConfigError, Fault

_READERS = (
    (is_hydra, import_hydra),
    (is_seml, import_seml),
    (is_lightning_cli, import_lightning_cli),
)

_TAG = re.compile(rf"(?<=:\s){re.escape(REMOVED)}(?=\s|[,}}]|$)")

_OF_HYDRA = ("multirun.yaml", ".hydra/config.yaml", "config.yaml")
"""What Hydra leaves in a folder: of a multirun, of a run, and in the `.hydra` of a run."""

_KNOWN = (
    "Hydra's multirun.yaml or .hydra/config.yaml, a SEML or LightningCLI config, "
    "or a script with #SBATCH lines"
)


_NO_SWEEP = "of no tool that is known"

_OF_SCRIPTS = (".py", ".sh")
_AS_SCRIPT = "`pcm init --model script` shows the grid of a script of your own"


def read_foreign(path: Path) -> Imported:
    """The grid that a file of another tool comes to.

    Args:
        path: the file, or a folder that Hydra made.

    Raises:
        ConfigError: it is of none that is known, or can't be read.
    """
    file = _file_of(path)
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigError([Fault(f"can't be read: {error.strerror}", file=str(path))]) from error
    if is_sbatch(text):
        return _as_its_tool_wants(file, lambda: import_sbatch(file, text))
    if file.suffix in _OF_SCRIPTS:
        raise ConfigError([Fault(_NO_SWEEP, file=str(path), expected=_KNOWN, hint=_AS_SCRIPT)])
    document = parse_document(_untagged(text), str(file)) if _TAG.search(text) else None
    data = (document or load_document(file)).data
    if isinstance(data, dict) and is_hydra_config(data) and not is_hydra(data):
        hydra = _hydra_beside(file)
        return _as_its_tool_wants(file, lambda: import_hydra_config(data, hydra))
    for is_one, read in _READERS:
        if isinstance(data, dict) and is_one(data):
            return _as_its_tool_wants(file, lambda: read(data))  # noqa: B023 - called at once
    raise ConfigError([Fault(_NO_SWEEP, file=str(path), expected=_KNOWN)])


def _untagged(text: str) -> str:
    """SEML's one tag as a text, since tags are refused."""
    return _TAG.sub(f'"{REMOVED}"', text)


def _as_its_tool_wants(file: Path, read: Callable[[], Imported]) -> Imported:
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        # Its tool would refuse it as well, and says where.
        problem = f"not as its tool wants it: {error!r}"
        raise ConfigError([Fault(problem, file=str(file))]) from None


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    there = [path / name for name in _OF_HYDRA if (path / name).is_file()]
    if not there:
        fault = Fault(
            "a folder without a multirun or run of Hydra", file=str(path), expected=_KNOWN
        )
        raise ConfigError([fault])
    return there[0]


def _hydra_beside(file: Path) -> Mapping[str, Any]:
    """The section `hydra` of the run whose config a file is."""
    beside = file.with_name("hydra.yaml")
    data = load_document(beside).data if beside.is_file() else None
    hydra = data.get("hydra") if isinstance(data, dict) else None
    return hydra if isinstance(hydra, dict) else {}
