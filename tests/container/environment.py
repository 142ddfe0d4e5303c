"""What a test image is made of: a small Debian, and a copy of the environment that runs this.

Nothing comes from a registry of images. Both are unpacked folders, made once: the system by
debootstrap from the machine's own apt source, the environment by copying what a CPU loads.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

DEVELOPMENT = {"mypy", "mypyc", "ruff", "uv", "hypothesis", "triton", "pip", "pytest", "_pytest"}
"""Packages that training does without; triton alone is 1 GB."""

_LOADED = """
import torch, torchvision, lightning, pcm.training.run
print(*{line.split(maxsplit=5)[-1].strip() for line in open("/proc/self/maps")}, sep="\\n")
"""


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


def make_environment(system: Path, folder: Path) -> None:
    """A system with the running environment at /opt/pcm, where images of pcm have theirs."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    _run("cp", "-a", str(system), str(aside))
    target = aside / "opt" / "pcm"
    site = Path(sysconfig.get_path("purelib"))
    inside = target / site.relative_to(sys.prefix)
    _copy_interpreter(aside)
    (target / "code").mkdir(parents=True)
    (target / "bin").mkdir()
    (target / "bin" / "python").symlink_to(_interpreter())
    shutil.copyfile(Path(sys.prefix) / "pyvenv.cfg", target / "pyvenv.cfg")
    shutil.copytree(site, inside, ignore=_Unused(site), copy_function=_link_or_copy)
    (inside / "pcm-code.pth").write_text("/opt/pcm/code\n")
    # An image can't keep what Python compiles. Some packages carry templates that are no Python.
    compiling = [sys.executable, "-m", "compileall", "-q", "-j", "0", str(inside)]
    subprocess.run(compiling, check=False, stdout=subprocess.DEVNULL)
    aside.rename(folder)


def environment_key() -> str:
    """Which environment runs this, by its Python and versions, and how it is copied."""
    versions = sorted(f"{each.metadata['Name']} {each.version}" for each in distributions())
    text = "\n".join([sys.version, sys.prefix, *versions, Path(__file__).read_text()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Unused:
    """What `shutil.copytree` shall leave out of the site-packages."""

    def __init__(self, site: Path) -> None:
        loaded = _run(sys.executable, "-c", _LOADED)
        self._site = site
        self._loaded = {Path(line) for line in loaded.splitlines()}

    def __call__(self, folder: str, names: list[str]) -> set[str]:
        return {name for name in names if self._is_unused(Path(folder), name)}

    def _is_unused(self, folder: Path, name: str) -> bool:
        if folder == self._site:
            # The checkout itself is installed by such files; the image has its own code.
            return name in DEVELOPMENT or "__editable__" in name or name.endswith("_pcm.pth")
        is_gpu_library = "nvidia" in folder.parts and ".so" in name
        return is_gpu_library and (folder / name).resolve() not in self._loaded


def _link_or_copy(source: str, target: str) -> None:
    """The same file once more: on one file system that takes no time and no space."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _interpreter() -> Path:
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


def _copy_interpreter(root: Path) -> None:
    """The Python that the environment was made with, at the same place.

    Of the distribution's own the system has a copy already.
    """
    if sys.base_prefix == "/usr":
        return
    prefix = root / Path(sys.base_prefix).relative_to("/")
    standard = Path(sysconfig.get_path("stdlib"))
    libraries = prefix / "lib"
    (prefix / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(_interpreter(), prefix / "bin")
    skipped = shutil.ignore_patterns("site-packages", "test", "*.a")
    shutil.copytree(standard, libraries / standard.name, ignore=skipped)
    for shared in (Path(sys.base_prefix) / "lib").glob("libpython*.so*"):
        shutil.copy(shared, libraries)
    # What a Python under /usr/local was linked to may be newer than the system's.
    _run("chroot", str(root), "ldconfig")


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
