"""A script for sbatch with `#SBATCH --array`: each of its tasks is a point."""

import re
import shlex
from pathlib import Path
from typing import Any

from launch.importing.imported import Imported, script_grid
from launch.importing.sbatch_words import resources_of
from launch.site.sbatch_options import read_words

_RANGE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")


def is_sbatch(text: str) -> bool:
    """Whether a file is for sbatch."""
    return text.startswith("#!") and "\n#SBATCH" in text


def import_sbatch(path: Path, text: str) -> Imported:
    """The grid of a script, which is run as it is."""
    options = _options(text)
    left: list[str] = []
    tasks, most = _tasks(str(options.get("array", "0")))
    shell = [word.replace("{", "{{").replace("}", "}}") for word in _shell(text)]
    words: list[Any] = ["env", "SLURM_ARRAY_TASK_ID={task}", *shell, _from_here(path)]
    axes = {"task": tasks} if "array" in options else {}
    grid = script_grid(str(options.get("job-name", path.stem)), words, {"task": 0}, axes)
    resources = resources_of(options, left)
    grid["resources"] = resources | ({"max_parallel": most} if most else {})
    if re.search(r"^\s*srun\b", text, re.MULTILINE):
        left.append("srun: pcm starts the script once a rank, so take it out of the script")
    others = sorted(set(re.findall(r"SLURM_\w+", text)) - {"SLURM_ARRAY_TASK_ID"})
    left += [f"${name}: a script sees nothing of Slurm" for name in others]
    left.append("edits of the script: the same points again need `version: 2` in the grid file")
    return Imported("sbatch", {"": grid}, left=left)


def _shell(text: str) -> list[str]:
    """What runs the script, by its first line: sbatch itself goes by that."""
    first, *words = text.partition("\n")[0].removeprefix("#!").split() or ["bash"]
    if Path(first).name == "env" and words:
        first, *words = words
    return [Path(first).name, *words]


def _from_here(path: Path) -> str:
    """The script as it is named where the launch is typed."""
    whole, here = path.resolve(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else path.name


def _options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break  # sbatch reads none behind the first command
        if re.match(r"#SBATCH\s", line):
            words = shlex.split(line.removeprefix("#SBATCH"), comments=True)
            found |= {name: value for _, name, value in read_words(words)}
    return found


def _tasks(text: str) -> tuple[list[int], int | None]:
    """The numbers of an array, `0-9:3,12%4`, and how many may run at once."""
    numbers, _, most = text.partition("%")
    tasks: list[int] = []
    for part in numbers.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"--array={text}")
        first, last, step = (int(group or 0) for group in match.groups())
        tasks += range(first, max(first, last) + 1, step or 1)
    return tasks, int(most) if most.isdecimal() else None
