"""An image, its binds and what to run in it -> the words of one `apptainer` command. Pure."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from launch.container.settings import Bind, Container
from launch.machine.signals import SCHEDULER
from launch.site import Mount

APPTAINER = "apptainer"

PYTHON = "python"
"""The interpreter inside."""


def exec_command(
    container: Container, words: Sequence[str], *, folder: Path | None = None, nv: bool = False
) -> list[str]:
    """Words that run `words` inside.

    No path is ever a part of a larger text that Apptainer splits, but where it is quoted as
    CSV, which is how Apptainer reads `--mount`. So commas, colons, quotes and spaces are safe.

    Args:
        folder: working directory, visible inside; None for the root folder.
        nv: whether the node has NVIDIA's driver, for a container that leaves it open.
    """
    options = ["--cleanenv", "--no-eval", "--no-home", "--no-mount", "cwd"]
    options += ["--pwd", str(folder or "/")]
    options += ["--nv"] if (nv if container.nv is None else container.nv) else []
    options += ["--unsquash"] if container.mount is Mount.UNSQUASH else []
    for bind in distinct(container.binds):
        options += ["--mount", mount_text(bind)]
    return [APPTAINER, "--quiet", "exec", *options, str(container.image), *words]


def distinct(binds: Iterable[Bind]) -> list[Bind]:
    """The binds without those that show the same place once more: of these the first counts.

    So it is for Apptainer too, but it warns in every rank's log. Where a grid or site file binds
    the folder that a script runs in, its word on `ro` comes first.
    """
    first: dict[tuple[PurePosixPath, PurePosixPath], Bind] = {}
    for bind in binds:
        first.setdefault((PurePosixPath(bind.source), PurePosixPath(bind.target)), bind)
    return list(first.values())


def deaf(words: Sequence[str]) -> list[str]:
    """Words that run `words` inside with the scheduler's signals ignored from the beginning.

    Apptainer undoes what was ignored outside, and Slurm may signal every process of a job.
    """
    names = " ".join(each.name.removeprefix("SIG") for each in SCHEDULER)
    return ["/bin/sh", "-c", f'trap "" {names}; exec "$@"', "sh", *words]


def mount_text(bind: Bind) -> str:
    """The value of `--mount`: one line of CSV."""
    fields = ["type=bind", f"source={bind.source}", f"destination={bind.target}"]
    return ",".join(map(_field, fields if bind.writable else [*fields, "ro"]))


def _field(text: str) -> str:
    if not set(text) & set(',"'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
