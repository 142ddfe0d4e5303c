"""What can be found out about an image before anything is submitted."""

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.container.command import APPTAINER, PYTHON, exec_command
from launch.container.environment import apptainer_environment
from launch.container.other_python import MODULES_PROBE
from launch.container.settings import Container, path_problem, wanted_container, with_code
from launch.site import Mount, Site
from pcm.errors import RefusedError
from pcm.run_dir import SCHEMA_VERSION

PROBE_PATIENCE_S = 300.0
"""An image on a slow file system, on a busy login node."""

INHERITED_BINDS = tuple(
    f"{program}_{word}" for program in ("APPTAINER", "SINGULARITY") for word in ("BIND", "BINDPATH")
)
"""Variables that Apptainer takes binds from besides ours; it ends at one that is missing."""

_PROBE = f"from pcm.run_dir import SCHEMA_VERSION\n{MODULES_PROBE}\nprint(SCHEMA_VERSION)"


def found_container(asked: Mapping[str, Any], site: Site) -> Container | None:
    """The container that a grid and a site ask for, with its image found.

    Raises:
        ConfigError: it can't be, see `wanted_container`.
        RefusedError: there is no such image.
    """
    container = wanted_container(asked, site)
    if container is None:
        return None
    image = find_image(container.image, site)
    mount = Mount.SANDBOX if image.is_dir() else container.mount
    return replace(container, image=image, mount=mount)


def find_image(path: Path, site: Site) -> Path:
    """Where an image is: as it is written, or in the site's folder of images.

    Raises:
        RefusedError: there is none, or it can't be read.
    """
    written = path.expanduser()
    places = [written.absolute()]
    places += [site.image_folder.absolute() / written] if site.image_folder else []
    image = next((place for place in places if place.exists()), None)
    if image is None:
        looked = " and ".join(map(str, dict.fromkeys(places)))
        raise RefusedError(
            f"there is no image {str(path)!r}: looked for {looked}",
            hint="pcm image build makes one, --image names another one",
        )
    if not os.access(image, os.R_OK):
        raise RefusedError(f"image {image} can't be read", hint=f"chmod a+r {str(image)!r}")
    return image


def missing_binds(container: Container) -> list[str]:
    """Sources of binds that are not on this machine."""
    return [each.source for each in container.binds if not Path(each.source).exists()]


def missing_inherited_binds(variables: Mapping[str, str]) -> dict[str, list[str]]:
    """What Apptainer's own variables name that is not on this machine, by the variable."""
    named = {name: variables.get(name, "").split(",") for name in INHERITED_BINDS}
    sources = {
        name: [bind.partition(":")[0].strip() for bind in binds] for name, binds in named.items()
    }
    absent = {
        name: [path for path in paths if path and not Path(path).exists()]
        for name, paths in sources.items()
    }
    return {name: paths for name, paths in absent.items() if paths}


def require_apptainer() -> None:
    """Refuse where there is no Apptainer.

    Raises:
        RefusedError: the program is missing.
    """
    if shutil.which(APPTAINER) is None:
        hint = "install Apptainer, or load its module, e.g. `module load apptainer`"
        raise RefusedError("there is no `apptainer` here", hint)


def require_binds(container: Container) -> None:
    """Refuse a bind of what is not on this machine.

    Raises:
        RefusedError: with all that are missing.
    """
    missing = missing_binds(container)
    if missing:
        raise RefusedError(
            f"the image needs folders that are not on {os.uname().nodename}: {', '.join(missing)}",
            hint="correct `binds` in the grid or site file, or have the folders mounted",
        )
    for name, paths in missing_inherited_binds(os.environ).items():
        raise RefusedError(
            f"{name} names what is not on {os.uname().nodename}: {', '.join(paths)}",
            hint=f"correct {name} in the shell that you launch from, or unset it",
        )


def require_bindable(*folders: Path | None) -> None:
    """Refuse folders whose names can't be handed to Apptainer.

    Raises:
        RefusedError: one can't.
    """
    for folder in filter(None, folders):
        if problem := path_problem(str(folder)):
            raise RefusedError(f"training in an image can't see {str(folder)!r}: {problem}")


def require_pcm_inside(
    container: Container, checkout: Path | None = None, needed: Collection[str] = ()
) -> None:
    """Start the image once, and see whether the pcm in it understands our run directories.

    Args:
        checkout: whose code is taken before the image's own.
        needed: modules besides, without which nothing trains.

    Raises:
        RefusedError: the image does not start, has no pcm, or an older one; or it lacks a module.
    """
    # Not the user's own folders: whether those are there is asked elsewhere.
    done = _run_inside(replace(container, binds=()), checkout, _PROBE, *needed)
    words = done.stdout.split()
    if done.returncode != 0 or not words or not words[-1].isdecimal():
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RefusedError(
            f"image {container.image} can't train: {reason}",
            hint="`pcm image build` makes an image with Python, torch and pcm inside",
        )
    if int(words[-1]) < SCHEMA_VERSION:
        raise RefusedError(
            f"image {container.image} has an older pcm: it understands run directories up to "
            f"version {words[-1]}, and this one writes version {SCHEMA_VERSION}",
            hint="build the image again: pcm image build",
        )
    missing = [name for name in needed if name in words[:-1]]
    if missing and container.binds:
        # A folder of the user's own may have them.
        missing = _modules_missing_inside(container, checkout, missing)
    if missing:
        raise RefusedError(
            f"image {container.image} can't train: it has no {' and no '.join(missing)}",
            hint="`pcm image build` makes an image with Python, torch and pcm inside",
        )


def require_modules_inside(
    container: Container, checkout: Path | None, modules: Collection[str]
) -> None:
    """Start the image with its binds, and see whether Python finds modules there.

    Args:
        checkout: whose code is taken before the image's own.

    Raises:
        RefusedError: with those that it doesn't find.
    """
    missing = _modules_missing_inside(container, checkout, sorted(modules))
    if missing:
        here = Path.cwd()
        shown = f"`container: {{binds: [{here}], environment: {{PYTHONPATH: {here}}}}}`"
        raise RefusedError(
            f"image {container.image} has no module {' nor '.join(missing)}, and sees no folder "
            "that has: it doesn't see the one that you launch from",
            hint=f"--code snapshot takes a git checkout along; {shown} shows this folder",
        )


def _modules_missing_inside(
    container: Container, checkout: Path | None, names: Sequence[str]
) -> list[str]:
    """Those of some modules that Python doesn't find in the image with its binds.

    None where it can't be started so: something else is wrong then.
    """
    done = _run_inside(container, checkout, MODULES_PROBE, *names)
    missing = done.stdout.split() if done.returncode == 0 else []
    return [name for name in names if name in missing]


def _run_inside(
    container: Container, checkout: Path | None, *words: str
) -> "subprocess.CompletedProcess[str]":
    """Run a line of Python in the image, with further arguments.

    Raises:
        RefusedError: the image can't be started.
    """
    container = replace(container, nv=False)
    if checkout is not None:
        container = with_code(container, checkout)
    variables = {name: os.environ[name] for name in os.environ.keys() - set(INHERITED_BINDS)}
    try:
        return subprocess.run(
            exec_command(container, [PYTHON, "-c", *words]),
            env=apptainer_environment(variables, container.environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"image {container.image} can't be started: {error}") from None
