"""Somebody who builds images and runs them: an unprivileged user with a folder."""

import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PCM = str(Path(sys.executable).with_name("pcm"))


@dataclass
class Owner:
    """An unprivileged user of Apptainer.

    Attributes:
        folder: is theirs, and their working directory.
        environment: all variables of what they run; tests may change it.
    """

    name: str
    folder: Path
    apptainer: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            "HOME": str(self.folder),
            "USER": self.name,
            "PATH": f"{self.apptainer.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            # The checkout may be somebody else's, which git doesn't like.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        self.take(self.folder)

    def take(self, folder: Path) -> None:
        """Make a folder and what is in it theirs."""
        owner = pwd.getpwnam(self.name)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def start(self, *command: str, **variables: str) -> "subprocess.Popen[str]":
        """Start a command of theirs, as leader of a process group."""
        owner = pwd.getpwnam(self.name)
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | variables,
            user=owner.pw_uid,
            group=owner.pw_gid,
            extra_groups=[],
            umask=0o022,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *command: str, timeout: float = 120, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of theirs to its end."""
        process = self.start(*command, **variables)
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def pcm(
        self, *arguments: str, timeout: float = 120, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `pcm` to its end."""
        return self.run(PCM, *arguments, timeout=timeout, **variables)
