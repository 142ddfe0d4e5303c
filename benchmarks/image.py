"""Starting inside an image, against the same environment unpacked on disk; and its size.

Times are from the start of `apptainer` to the end of what runs inside: nothing, importing
Lightning, and a whole experiment of one step. Both are measured alternately, once with the
files dropped from the machine's cache (cold) and then some times with them in it (warm).
Goals: a container costs under 0.3 s a rank; warm, the image is as fast as the folder.

    apptainer build --sandbox unpacked pcm.sif
    python benchmarks/image.py pcm.sif unpacked

Run it as an ordinary user: Apptainer's unprivileged way is the one that counts.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PYTHON = "/opt/pcm/bin/python"


def seconds(place: Path, *words: str) -> float:
    """Wall time of one command inside."""
    command = ["apptainer", "--quiet", "exec", "--cleanenv", "--no-home", str(place), *words]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def one_step(place: Path) -> float:
    """Wall time of an experiment of one step."""
    source = Path(__file__).parents[1] / "containers" / "one-step"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return seconds(place, PYTHON, "-m", "pcm", folder)


MEASURES: dict[str, Callable[[Path], float]] = {
    "nothing": lambda place: seconds(place, "true"),
    "import lightning": lambda place: seconds(place, PYTHON, "-c", "import lightning"),
    "one step": one_step,
}


def drop_from_cache(place: Path) -> Path:
    """Have the kernel forget what it has read; returns the place."""
    for path in place.rglob("*") if place.is_dir() else [place]:
        if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
            continue
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
    return place


def disk_usage(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("unpacked", type=Path, help="the image as a folder")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for what, measure in MEASURES.items():
        cold = {
            place: measure(drop_from_cache(place)) for place in (options.image, options.unpacked)
        }
        pairs = [
            {place: measure(place) for place in (options.image, options.unpacked)}
            for _ in range(options.runs)
        ]
        warm = {place: statistics.median(pair[place] for pair in pairs) for place in cold}
        for state, times in (("cold", cold), ("warm", warm)):
            ratio = times[options.image] / times[options.unpacked]
            print(f"{what:17} {state} {times[options.image]:6.2f} s   {ratio:.2f} x the folder")
    size = options.image.stat().st_size
    print(f"size {size / 1e9:.2f} GB   {size / disk_usage(options.unpacked):.2f} x the folder")


if __name__ == "__main__":
    main()
