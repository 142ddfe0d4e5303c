"""An sbatch that misbehaves, on a person's PATH in front of the real one."""

import shlex
import shutil

from tests.cluster.person import Person

TIMED_OUT = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"


class Sbatch:
    """Takes the place of sbatch for one person; counts how often it is called."""

    def __init__(self, person: Person) -> None:
        self._person = person
        real = shutil.which("sbatch")
        assert real is not None
        self._real = shlex.quote(real)
        self._calls = person.project / "calls"
        path = person.environment["PATH"]
        person.environment["PATH"] = f"{person.project / 'bin'}:{path}"
        self.behave('exec $sbatch "$@"')

    @property
    def calls(self) -> int:
        """How often it was called."""
        return len(self._calls.read_text().splitlines()) if self._calls.exists() else 0

    def behave(self, script: str) -> None:
        """Do this from now on; `$sbatch` in it is the real one."""
        note = f"echo call >> {shlex.quote(str(self._calls))}"
        text = "\n".join(["#!/bin/bash", note, f"sbatch={self._real}", script, ""])
        self._person.write_file("bin/sbatch", text, mode=0o755)

    def refuse(self, message: str) -> None:
        """Fail with a message."""
        self.behave(f"echo {shlex.quote(message)} >&2\nexit 1")
