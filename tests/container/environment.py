"""What the image that trains in tests is made of: the environment that runs the tests.

Nothing is installed. The files of the running virtual environment, and of the Python that it
was made with, get to the places in a small Debian where images of pcm have them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from tests.container import hollow

ROOT = Path(__file__).parents[2]

UNUSED = shutil.ignore_patterns(
    *("mypy", "mypyc", "*__mypyc.*", "ruff", "uv", "hypothesis", "pip", "pytest", "_pytest"),
    *("triton", "tests", "test", "include", "*.a", "*.pyi", "__pycache__"),
    # The checkout is installed by these; an image has code of its own.
    *("*__editable__*", "_editable_impl_pcm*", "*_pcm.pth"),
)

IMPORT = """
import matplotlib.pyplot, seaborn, sklearn.decomposition, umap
import pcm.plots, pcm.tracking, pcm.training.run
print(*{line.split(maxsplit=5)[-1].strip() for line in open("/proc/self/maps")}, sep="\\n")
"""
"""Imports what training may, and prints the files that are then in memory."""


def environment_key() -> str:
    """Which environment runs this, by its Python and versions, and how it is copied."""
    versions = sorted(f"{each.metadata['Name']} {each.version}" for each in distributions())
    sources = [path.read_text() for path in (Path(__file__), Path(hollow.__file__))]
    text = "\n".join([sys.version, sys.prefix, *versions, *sources])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_environment(system: Path, folder: Path) -> None:
    """A system with the running environment at /opt/pcm."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.copytree(system, aside, symlinks=True)
    target = aside / "opt" / "pcm"
    site = Path(sysconfig.get_path("purelib"))
    inside = target / site.relative_to(sys.prefix)
    shutil.copytree(site, inside, ignore=UNUSED, copy_function=_link_or_copy)
    (inside / "pcm-code.pth").write_text("/opt/pcm/code\n")
    (target / "code").mkdir()
    (target / "bin").mkdir()
    (target / "bin" / "python").symlink_to(_copy_interpreter(aside))
    shutil.copyfile(Path(sys.prefix) / "pyvenv.cfg", target / "pyvenv.cfg")
    loaded = _compile(target)
    for library in (*inside.glob("nvidia/**/*.so*"), *inside.glob("torch/lib/*.so*")):
        if str(library) in loaded:
            hollow.hollow_out(library)
        else:
            library.unlink()
    aside.rename(folder)


def _link_or_copy(source: str, target: str) -> None:
    """The same file once more: on one file system that takes no time and no space."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _copy_interpreter(root: Path) -> Path:
    """Have the Python that the environment was made with at its own place; returns that."""
    base = Path(sys.base_prefix).resolve()
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    program = base / "bin" / version
    if base == Path("/usr"):
        # The distribution's own: the system has it already.
        return program
    prefix = root / base.relative_to("/")
    unused = shutil.ignore_patterns("site-packages", "test", "idlelib", "config-*", "*.a")
    shutil.copytree(base / "lib" / version, prefix / "lib" / version, ignore=unused)
    (prefix / "bin").mkdir()
    shutil.copy2(program, prefix / "bin")
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy2(library, prefix / "lib")
    return program


def _compile(environment: Path) -> set[str]:
    """Compile what training imports, since an image can't keep it; returns the files it loads."""
    done = subprocess.run(
        [environment / "bin" / "python", "-c", IMPORT],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(environment)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines())
