"""What a test image is made of: a small Debian, unpacked once.

It comes from the machine's own apt source by debootstrap, not from a registry of images.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path


def make_system(folder: Path) -> None:
    """Unpack a minimal Debian with Python.

    Raises:
        RuntimeError: this needs root and Debian's debootstrap.
    """
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    if shutil.which("debootstrap") is None:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap")
    suite, mirror = _apt_source()
    _run("debootstrap", "--variant=minbase", "--include=python3", suite, str(aside), mirror)
    for left in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
        shutil.rmtree(aside / left, ignore_errors=True)
    # Unprivileged users build from it: device files and secrets are not for them.
    shutil.rmtree(aside / "dev")
    (aside / "dev").mkdir()
    _run("chmod", "-R", "a+rX", str(aside))
    aside.rename(folder)


def _apt_source() -> tuple[str, str]:
    """Release and address of the machine's own packages."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)
    for path in sorted(Path("/etc/apt").rglob("*.sources")):
        address = re.search(r"^URIs: *(\S+)", path.read_text(), re.M)
        if address and release and f" {release[1]} " in f"{path.read_text()} ".replace("\n", " "):
            return release[1], address[1]
    raise RuntimeError("no apt source in the deb822 format to take the address from")


def _run(*command: str) -> str:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
