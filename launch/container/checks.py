"""What can be found out about an image before anything is submitted."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.container.command import APPTAINER, PYTHON, exec_command
from launch.container.environment import apptainer_environment
from launch.container.settings import Container, path_problem, wanted_container, with_code
from launch.site import Mount, Site
from pcm.errors import RefusedError
from pcm.run_dir import SCHEMA_VERSION

PROBE_PATIENCE_S = 300.0
"""An image on a slow file system, on a busy login node."""

_PROBE = "from pcm.run_dir import SCHEMA_VERSION; print(SCHEMA_VERSION)"


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


def require_bindable(*folders: Path | None) -> None:
    """Refuse folders whose names can't be handed to Apptainer.

    Raises:
        RefusedError: one can't.
    """
    for folder in filter(None, folders):
        if problem := path_problem(str(folder)):
            raise RefusedError(f"training in an image can't see {str(folder)!r}: {problem}")


def require_pcm_inside(container: Container, checkout: Path | None = None) -> None:
    """Start the image once, and see whether the pcm in it understands our run directories.

    Args:
        checkout: whose code is taken before the image's own.

    Raises:
        RefusedError: the image does not start, has no pcm, or an older one.
    """
    # Not the user's own folders: whether those are there is asked elsewhere.
    container = replace(container, binds=(), nv=False)
    if checkout is not None:
        container = with_code(container, checkout)
    command = exec_command(container, [PYTHON, "-c", _PROBE])
    try:
        done = subprocess.run(
            command,
            env=apptainer_environment(os.environ, container.environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"image {container.image} can't be started: {error}") from None
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
