"""A checkout of pcm, as far as it goes into an image."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from launch.store.checkout import code_version
from pcm.errors import RefusedError

_ITSELF = re.compile(r"pcm(?:-launch)?\[([\w,\s-]+)\]\s*$")


@dataclass(frozen=True)
class Project:
    """A checkout.

    Attributes:
        folder: has `containers/`, `pcm/`, `pyproject.toml` and `constraints.txt`.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "Project":
        """The checkout in a folder.

        Raises:
            RefusedError: it is none.
        """
        for name in ("containers", "pcm", "pyproject.toml", "constraints.txt"):
            if not (folder / name).exists():
                raise RefusedError(
                    f"{folder} is no checkout of pcm: it has no {name}",
                    hint="images are built from a checkout: cd there, or name it by --project",
                )
        return cls(folder)

    def container_file(self, name: str) -> bytes:
        """A file in `containers/`."""
        return (self.folder / "containers" / name).read_bytes()

    def one_step(self) -> dict[str, bytes]:
        """The experiment that an image tests itself with."""
        return {
            f"one-step/{path.name}": path.read_bytes()
            for path in sorted((self.folder / "containers" / "one-step").iterdir())
        }

    def code(self) -> dict[str, bytes]:
        """All files of the package `pcm`, without what Python made of them."""
        return {
            f"code/{path.relative_to(self.folder).as_posix()}": path.read_bytes()
            for path in sorted((self.folder / "pcm").rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    def constraints(self) -> bytes:
        """The versions that were tested."""
        return (self.folder / "constraints.txt").read_bytes()

    def requirements(self) -> list[str]:
        """What pcm needs to train, and the trackers' clients, as lines for an installer."""
        with (self.folder / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        extras = project.get("optional-dependencies", {})
        # Earlier checkouts have no trackers but what training needs.
        chosen = (extras.get(name, []) for name in ("train", "trackers"))
        wanted = [*project.get("dependencies", []), *chain.from_iterable(chosen)]
        return sorted(set(_spelt_out(wanted, extras)))

    def commit(self) -> str:
        """The commit, with `-modified` where the files differ from it; or `unknown`."""
        version = code_version(self.folder)
        if version is None:
            return "unknown"
        return f"{version.commit}-modified" if version.dirty else version.commit


def _spelt_out(requirements: list[str], extras: dict[str, list[str]]) -> Iterator[str]:
    """Requirements with `pcm[extra]` replaced by what the extra stands for."""
    for requirement in requirements:
        itself = _ITSELF.match(requirement)
        if itself is None:
            yield requirement
            continue
        for extra in itself[1].split(","):
            yield from _spelt_out(extras[extra.strip()], extras)
