"""The two stages of an image: the environment, which rarely changes, and the code in it."""

from pathlib import Path

from launch.image.kinds import Compression, Kind
from launch.image.project import Project
from launch.image.stage import DEFINITION, Stage
from pcm.errors import UsageError

WHEELS_INSIDE = "/mnt"
"""Where the offline definition finds the wheels."""


def environment_stage(
    project: Project, kind: Kind, base: str | None = None, wheels: Path | None = None
) -> Stage:
    """Python with all that pcm needs, and nothing of pcm.

    Args:
        base: an image with Python to start from: a file, a folder, or a name on Docker Hub;
            None for the definition's own.
        wheels: the folder of wheels; for the offline environment alone.

    Raises:
        UsageError: the offline environment lacks its wheels or its base, or another has wheels.
    """
    if (kind is Kind.OFFLINE) != (wheels is not None):
        raise UsageError(
            "--wheels and the kind `offline` go together",
            hint="pcm image build --kind offline --wheels DIR --base IMAGE",
        )
    if kind is Kind.OFFLINE and (base is None or not Path(base).exists()):
        raise UsageError(
            f"an offline image needs a base that is here, not {base!r}",
            hint="--base python.sif: an image file or an unpacked folder with Python 3.11 to 3.13",
        )
    files = {
        DEFINITION: project.container_file(f"{kind}.def"),
        "finish.sh": project.container_file("finish.sh"),
        "constraints.txt": project.constraints(),
        "requirements.txt": "".join(f"{line}\n" for line in project.requirements()).encode(),
    }
    links = {} if wheels is None else {"wheels": wheels.resolve()}
    binds = {} if wheels is None else {"wheels": WHEELS_INSIDE}
    if base is None:
        return Stage(files, links, binds)
    if not Path(base).exists():
        return Stage(files, links, binds, {"bootstrap": "docker", "base": base})
    links["base"] = Path(base).resolve()
    return Stage(files, links, binds, {"bootstrap": "localimage", "base": "base"})


def image_stage(
    project: Project, environment: Path, compression: Compression, *, test: bool = True
) -> Stage:
    """An environment with pcm's code in it, and labels that tell what that is.

    Args:
        environment: an image file, or an unpacked folder.
        test: let the image train a step before it gets its name.
    """
    files = {
        DEFINITION: project.container_file("pcm.def"),
        "labels.py": project.container_file("labels.py"),
        **project.one_step(),
        **project.code(),
    }
    facts = {
        "commit": project.commit(),
        "compression": str(compression),
        "tested": "yes" if test else "no",
    }
    options = () if test else ("--notest",)
    return Stage(
        files, {"environment": environment.resolve()}, {}, facts, compression, options=options
    )
