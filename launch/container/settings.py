"""What a grid file, a site and the command line say of the image, as one plain record. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from launch.site import Mount, Site
from pcm.config.wording import shown
from pcm.errors import ConfigError, Fault, RefusedError
from pcm.run_dir.records import ScriptRecord
from pcm.secret_values import is_secret

CODE_INSIDE = "/opt/pcm/snapshot"
"""Where an image shows the code that a launch ships; a name without colons, for PYTHONPATH."""

BIND_FORMS = "HOST, HOST:INSIDE, HOST:INSIDE:ro or HOST:INSIDE:rw, with absolute paths"


@dataclass(frozen=True, slots=True)
class Bind:
    """A folder or file of the machine that is visible inside the image.

    Attributes:
        source: absolute path on the machine.
        target: absolute path inside.
        writable: whether training may change it.
    """

    source: str
    target: str
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Container:
    """Where and how training runs inside an image.

    Attributes:
        image: absolute path of a SIF file, or of a folder with an unpacked image.
        sha256: of the file when the experiment was launched; None for a folder.
        size: bytes of the file then.
        modified: its modification time then, nanoseconds since the epoch.
        changed: when it was last changed in any way before that, by the file server's clock.
        binds: what training sees of the machine beside its run directory.
        nv: whether to bring NVIDIA's driver in; None where the node has a GPU.
        scratch: writable folder on the node; variables in it are the node's.
        environment: further variables; None takes the launcher's own value.
        mount: how the image's files are made visible.
        stage: folder on the node's own disk that the image is copied to; None to run it where
            it is. Variables in it are the node's.
        checked: whether somebody looked into the image at the launch.
    """

    image: Path
    sha256: str | None = None
    size: int | None = None
    modified: int | None = None
    changed: int | None = None
    binds: tuple[Bind, ...] = ()
    nv: bool | None = None
    scratch: str | None = None
    environment: Mapping[str, str | None] | None = None
    mount: Mount = Mount.AUTO
    stage: str | None = None
    checked: bool = False

    def record(self) -> dict[str, Any]:
        """As plain data, for `sweep.json`."""
        return {
            "image": str(self.image),
            "sha256": self.sha256,
            "size": self.size,
            "modified": self.modified,
            "changed": self.changed,
            "binds": [[each.source, each.target, each.writable] for each in self.binds],
            "nv": self.nv,
            "scratch": self.scratch,
            "environment": dict(self.environment or {}),
            "mount": str(self.mount),
            "stage": self.stage,
            "checked": self.checked,
        }


def container_of(record: Mapping[str, Any] | None) -> Container | None:
    """The container of a frozen launch; None if it has none.

    Raises:
        RefusedError: nobody can tell what it is.
    """
    if record is None:
        return None
    given = dict(record)
    try:
        image, mount = Path(given.pop("image")), Mount(given.pop("mount"))
        binds = tuple(Bind(*each) for each in given.pop("binds"))
        return Container(image=image, mount=mount, binds=binds, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(
            f"sweep.json is damaged: its 'container' can't be understood: {error!r}",
            "put it back from a copy, or launch its grid again",
        ) from None


def wanted_container(asked: Mapping[str, Any], site: Site) -> Container | None:
    """What a grid's `container:` and a site ask for together; the grid wins.

    Args:
        asked: the grid's entries, with the image of the command line.

    Returns:
        The image's path as it was written; None without an image.

    Raises:
        ConfigError: with all binds and variables that can't be.
    """
    entries = {**site.container, **asked}
    if entries.get("image") is None:
        return None
    texts = [*site.binds, *site.container.get("binds", ()), *asked.get("binds", ())]
    environment = {**site.container.get("environment", {}), **entries.get("environment", {})}
    faults = [*_bind_faults(texts), *_variable_faults(environment), *_folder_faults(entries)]
    if problem := path_problem(str(entries["image"])):
        faults.append(Fault(problem, key="container.image", found=shown(entries["image"])))
    if faults:
        raise ConfigError(faults)
    return Container(
        image=Path(entries["image"]),
        binds=tuple(dict.fromkeys(map(parse_bind, texts))),
        nv={"auto": None}.get(entries.get("nv", "auto"), entries.get("nv")),
        scratch=entries.get("scratch"),
        environment=environment,
        mount=site.mount,
        stage=entries.get("stage"),
    )


def parse_bind(text: str) -> Bind:
    """A bind as people write it.

    A path with a colon in it can't be told from two paths, so it is refused, unless what
    follows the colon begins with a slash.

    Raises:
        ValueError: it is none.
    """
    source, *rest = text.split(":")
    writable = True
    if len(rest) == 2 and rest[1] in {"ro", "rw"}:
        writable = rest.pop() == "rw"
    if len(rest) > 1:
        raise ValueError(f"not a bind: {text!r}")
    if source.startswith("~"):
        source = str(Path(source).expanduser())
    target = rest[0] if rest else source
    for path in (source, target):
        if path_problem(path) or not path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise ValueError(f"not a bind: {text!r}")
    if PurePosixPath(target) == PurePosixPath("/"):
        raise ValueError(f"not a bind: {text!r}")
    return Bind(source, target, writable)


def path_problem(path: str) -> str | None:
    """Why a path can't be handed to Apptainer; None if it can."""
    if not path:
        return "an empty path"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        return "a path with a control character"
    return None


def with_run_dir(container: Container, run_dir: Path, starts_from: Path | None) -> Container:
    """The container with the folders that training itself needs.

    Args:
        starts_from: checkpoint of another experiment.
    """
    own = [Bind(str(run_dir), str(run_dir))]
    if starts_from is not None:
        folder = str(starts_from.parent)
        own.insert(0, Bind(folder, folder, writable=False))
    return replace(container, binds=(*container.binds, *own))


def with_script(container: Container, script: ScriptRecord) -> Container:
    """The container with the folder that a script runs in."""
    own = Bind(script.shared, script.shared, writable=script.is_writable)
    return replace(container, binds=(*container.binds, own))


def with_code(container: Container, folder: Path) -> Container:
    """The container with a folder of code that Python looks in before it looks into the image."""
    environment = dict(container.environment or {})
    places = [CODE_INSIDE, environment.get("PYTHONPATH")]
    environment["PYTHONPATH"] = ":".join(filter(None, places))
    code = Bind(str(folder), CODE_INSIDE, writable=False)
    return replace(container, binds=(*container.binds, code), environment=environment)


def _bind_faults(texts: list[str]) -> Iterator[Fault]:
    for text in texts:
        try:
            parse_bind(text)
        except (ValueError, RuntimeError):
            yield Fault("not a bind", key="binds", found=shown(text), expected=BIND_FORMS)


def _folder_faults(entries: Mapping[str, Any]) -> Iterator[Fault]:
    for key in ("scratch", "stage"):
        folder = entries.get(key)
        if folder is not None and not folder.startswith(("/", "$")):
            yield Fault(
                "not a folder on the node",
                key=f"container.{key}",
                found=shown(folder),
                expected="an absolute path, or one that begins with a variable of the node",
            )


def _variable_faults(environment: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in environment.items():
        key = f"container.environment.{name}"
        if not name.isidentifier() or not name.isascii():
            yield Fault("not a variable's name", key=key, expected="letters, digits and _")
        elif value is not None and is_secret(name):
            # Not shown: it would be in the terminal's history and in logs.
            yield Fault(
                "a secret in a file that is copied with every launch",
                key=key,
                expected="no value: it is taken from the environment of `pcm launch`",
                hint=f"export {name}=... and leave `{name}:` empty here",
            )
