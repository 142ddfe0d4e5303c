"""Running Apptainer's builds: aside and renamed, and never twice for the same thing."""

import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from launch.container.command import APPTAINER, mount_text
from launch.container.settings import Bind
from launch.image.record import Record, read_record, write_record
from launch.image.scratch import scratch
from launch.image.stage import DEFINITION, Stage
from pcm.errors import RefusedError
from pcm.run_dir.digests import sha256_of

TELL_LINES = 30
"""Lines of a failed build that are shown."""

_GRACE_S = 30.0
_HOSTILE = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Builder:
    """Builds stages.

    Attributes:
        cache: folder of finished environments.
        tell: is given each line that Apptainer prints.
    """

    cache: Path
    tell: Callable[[str], None]

    def environment(self, stage: Stage) -> Path:
        """An environment, from the cache or built into it."""
        key = stage.key()
        target = self.cache / f"environment-{key[:16]}.sif"
        self.cache.mkdir(parents=True, exist_ok=True)
        # Two builds at once want the same environment once.
        with FileLock(target.with_suffix(".lock")):
            if target.exists():
                self.tell(f"the environment is built already: {target}")
            else:
                self._build(stage, target)
        return target

    def image(self, stage: Stage, target: Path) -> Record:
        """An image of pcm; where it is there already, nothing is done."""
        key = stage.key()
        record = read_record(target)
        if record is not None and record.is_of(target, key):
            self.tell(f"{target} is up to date")
            return record
        # The image tells its key, which can't be among what the key is made of.
        self._build(replace(stage, arguments={**stage.arguments, "key": key}), target)
        record = Record(key=key, sha256=sha256_of(target), size=target.stat().st_size)
        write_record(target, record)
        return record

    def _build(self, stage: Stage, target: Path) -> None:
        aside = target.absolute().with_name(f".{target.name}.{os.getpid()}.new")
        self.cache.mkdir(parents=True, exist_ok=True)
        try:
            with (
                tempfile.TemporaryDirectory(prefix="build-", dir=self.cache) as folder,
                scratch() as unpacked,
            ):
                _lay_out(stage, Path(folder))
                self._run([*_command(stage), str(aside), DEFINITION], Path(folder), unpacked)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def _run(self, command: Sequence[str], folder: Path, unpacked: Path) -> None:
        last: deque[str] = deque(maxlen=TELL_LINES)
        environment = {name: value for name, value in os.environ.items() if name not in _HOSTILE}
        environment["APPTAINER_TMPDIR"] = str(unpacked)
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    last.append(line.rstrip())
                    self.tell(line.rstrip())
            except BaseException:
                _end(process)
                raise
        if process.returncode != 0:
            raise RefusedError(
                "\n  ".join(["Apptainer could not build the image; its last words:", *last])
            )


def _lay_out(stage: Stage, folder: Path) -> None:
    for name, content in stage.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, path in stage.links.items():
        (folder / name).symlink_to(path)


def _command(stage: Stage) -> list[str]:
    """The command line but for the names of image and definition.

    Links are named as the build's own folder has them; only a bind needs the real path.
    """
    binds = [
        Bind(str(stage.links[name]), inside, writable=False) for name, inside in stage.binds.items()
    ]
    mounts = [f"--mount={mount_text(bind)}" for bind in binds]
    arguments = [f"--build-arg={name}={value}" for name, value in stage.arguments.items()]
    packed = ["--mksquashfs-args", stage.compression.mksquashfs_arguments]
    return [APPTAINER, "build", "--force", *mounts, *arguments, *packed, *stage.options]


def _end(process: "subprocess.Popen[str]") -> None:
    """Let Apptainer clean up behind itself, but not for ever."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    process.kill()
