"""A tiny image with a stand-in for training: the machine's own Python and a shell, no more."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

TESTS = Path(__file__).parents[1]

PROGRAMS = ["sh", "env", "cat", "sleep", "ls"]

PYTHON = """#!/bin/sh
export PYTHONPATH="$PYTHONPATH${{PYTHONPATH:+:}}/opt/code"
case "$1 $2" in
    "-m pcm") exec {python} /opt/stand_in.py "$@" ;;
    *) exec {python} "$@" ;;
esac
"""


def make_root(folder: Path) -> None:
    """The files of the image, in a new folder."""
    for name in ("usr/bin", "usr/lib", "usr/lib64", "usr/local/bin", "opt", "etc", "tmp"):
        (folder / name).mkdir(parents=True)
    for name in ("proc", "sys", "dev", "home", "root", "var/tmp", "run"):
        (folder / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (folder / name).symlink_to(f"usr/{name}")
    python = Path(sys.executable).resolve()
    programs = [python, *(Path(str(shutil.which(each))) for each in PROGRAMS)]
    library = Path(sysconfig.get_path("stdlib"))
    unused = shutil.ignore_patterns("__pycache__", "test", "tests", "*-packages", "config-3*")
    shutil.copytree(library, folder / str(library).lstrip("/"), ignore=unused)
    for path in [*programs, *_libraries([*programs, *library.glob("lib-dynload/*.so")])]:
        target = folder / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (folder / "etc" / "passwd").touch()
    (folder / "etc" / "group").touch()
    _add_project(folder, python)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)


def _add_project(folder: Path, python: Path) -> None:
    unused = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TESTS.parent / "pcm", folder / "opt" / "code" / "pcm", ignore=unused)
    shutil.copy(TESTS / "local" / "stand_in.py", folder / "opt")
    # Nobody imports them, but a launch looks whether they are there.
    for library in ("torch", "lightning"):
        (folder / "opt" / "code" / f"{library}.py").touch()
    program = folder / "usr" / "local" / "bin" / "python"
    program.write_text(PYTHON.format(python=python))
    program.chmod(0o755)


def _libraries(files: list[Path]) -> set[Path]:
    listing = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False)
    return {Path(each) for each in re.findall(r"(/\S+\.so\S*) ", listing.stdout)}


def build(root: Path, image: Path, environment: dict[str, str], user: str) -> None:
    """Make a SIF file of it, as an unprivileged user."""
    options = ["--mksquashfs-args", "-comp lz4"]
    done = subprocess.run(
        ["apptainer", "build", *options, str(image), str(root)],
        env=os.environ | environment,
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
