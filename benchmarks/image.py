"""From the start of a task to its first training step: inside an image, and without one.

The peers are the same image unpacked to a folder, still inside Apptainer, and, with --python,
the same environment without any container. In each round an experiment of one rank starts in
each of them in turn, with its files dropped from the machine's cache (cold) and with them in it
(warm). Most of that is importing torch and Lightning. What of it is the supervisor's, from its
own start to that of the training command, and what a container takes that does nothing, is told
apart. With --naive, another image is compared by size.
Goals: supervisor and container together under 0.5 s; warm, no slower than the folder.

    apptainer build --sandbox unpacked pcm.sif
    python -m benchmarks.image pcm.sif unpacked

Run it as an ordinary user, in the project's folder: Apptainer's unprivileged way is the one that
counts. `--python unpacked/opt/pcm/bin/python` works where this machine has the Python below it.
"""

import argparse
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from launch.container import Container, exec_command
from launch.store import Store
from launch.store.records import read_record
from pcm.run_dir import RunDir

PCM = str(Path(sys.executable).parent / "pcm")
CONFIG = Path(__file__).parents[1] / "config"

GRID = """\
name: bench
base: {model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}
set: {subsample_size: 1024, model.training.max_epochs: 100000}
resources: {tasks_per_node: 1}
"""


@dataclass(frozen=True)
class Place:
    """Where training may run.

    Attributes:
        path: its files.
        flags, variables: of `pcm launch`, so that training runs there.
    """

    name: str
    path: Path
    flags: list[str]
    variables: dict[str, str] = field(default_factory=dict)

    def drop_from_cache(self) -> None:
        """Have the kernel forget what it has read of it."""
        for path in self.path.rglob("*") if self.path.is_dir() else [self.path]:
            if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
                continue
            file = os.open(path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


@dataclass(frozen=True)
class Start:
    """How long a start took, in seconds.

    Attributes:
        supervisor: from its own start to that of the training command.
        training: from there to the first step.
    """

    supervisor: float
    training: float

    @property
    def total(self) -> float:
        """From the start of the task to the first step."""
        return self.supervisor + self.training


def wait_for(condition: Callable[[], Any]) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + 300
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SystemExit("the training does not get on")
        time.sleep(0.01)
    return value


def start_once(place: Place) -> Start:
    """Start an experiment, and stop it after its first step."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").symlink_to(CONFIG)
        (folder / "bench.yaml").write_text(GRID)
        launcher = subprocess.Popen(
            [PCM, "launch", "bench.yaml", "--executor", "local", "--yes", *place.flags],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | place.variables,
            stdout=subprocess.DEVNULL,
        )
        try:
            [experiment] = wait_for(Store(folder / "runs").experiments)
            return measured(experiment.run_dir)
        finally:
            launcher.send_signal(signal.SIGINT)
            launcher.wait()


def measured(run_dir: RunDir) -> Start:
    """The parts of a start, as it goes on."""
    files = run_dir.attempt(1)
    record = wait_for(lambda: read_record(files.supervisor(0)))
    supervisor = psutil.Process(record["pid"]).create_time()
    command = psutil.Process(record["child_pid"]).create_time()
    wait_for(lambda: (read_record(files.progress).get("step") or 0) > 0)
    first_step = float(read_record(files.progress)["time"])
    return Start(command - supervisor, first_step - command)


def start_nothing(place: Place) -> float:
    """Seconds that a container takes for a program which does nothing."""
    start = time.perf_counter()
    subprocess.run(exec_command(Container(place.path.absolute()), ["true"]), check=True)
    return time.perf_counter() - start


def tell(state: str, place: Place, starts: list[Start], peer: list[Start]) -> None:
    """Print the median start, and the median of how it compares with a peer's."""
    total = statistics.median(each.total for each in starts)
    pairs = zip(starts, peer, strict=True)
    ratio = statistics.median(ours.total / theirs.total for ours, theirs in pairs)
    print(f"{state} {place.name:13} {total:6.2f} s   {ratio:.2f} x the image")


def without_container(python: Path) -> Place:
    """The unpacked environment's own Python."""
    environment = python.absolute().parents[1]
    words = ["env", f"PYTHONPATH={environment / 'code'}", str(python.absolute())]
    variables = {"PCM_PYTHON": shlex.join(words)}
    return Place("no container", environment, [], variables)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("unpacked", type=Path, help="the image as a folder")
    parser.add_argument("--python", type=Path, help="Python of the environment, on this machine")
    parser.add_argument("--naive", type=Path, help="another image, to compare sizes")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    places = [
        Place("image", options.image, ["--image", str(options.image.absolute())]),
        Place("folder", options.unpacked, ["--image", str(options.unpacked.absolute())]),
    ]
    places += [without_container(options.python)] if options.python else []
    cold: dict[str, list[Start]] = {place.name: [] for place in places}
    warm: dict[str, list[Start]] = {place.name: [] for place in places}
    for _ in range(options.rounds):
        for place in places:
            place.drop_from_cache()
            cold[place.name].append(start_once(place))
            warm[place.name].append(start_once(place))
    print(f"medians of {options.rounds} rounds, wall seconds:")
    for state, starts in (("cold", cold), ("warm", warm)):
        for place in places:
            tell(state, place, starts[place.name], starts["image"])
    supervisor = statistics.median(each.supervisor for group in warm.values() for each in group)
    container = statistics.median(start_nothing(places[0]) for _ in range(options.rounds))
    print(f"supervisor {supervisor:.2f} s + container {container:.2f} s a rank")
    size = options.image.stat().st_size
    print(f"size {size / 1e9:.2f} GB")
    if options.naive:
        print(f"     {size / options.naive.stat().st_size:.2f} x the naive image")


if __name__ == "__main__":
    main()
