"""A project that is built in seconds: pcm's definitions, and next to nothing to install."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

PYPROJECT = """\
[project]
name = "pcm"
dependencies = []
[project.optional-dependencies]
train = ["pcm[more]"]
more = ["tiny-wheel>=0.5"]
"""

MAIN = """\
import sys
import tiny_wheel
print("trained in", sys.argv[1], "with", tiny_wheel.__file__)
"""


def write_project(folder: Path) -> Path:
    """The checkout."""
    shutil.copytree(ROOT / "containers", folder / "containers")
    package = folder / "pcm"
    package.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "constraints.txt").write_text("tiny-wheel==1.0\n")
    (package / "__init__.py").write_text('__version__ = "9.8.7"\n')
    (package / "run_dir.py").write_text("SCHEMA_VERSION = 1\n")
    (package / "__main__.py").write_text(MAIN)
    return folder


def write_wheels(folder: Path) -> Path:
    """A folder of wheels: the one that the project needs, a newer one, and pip's."""
    folder.mkdir()
    for version in ("1.0", "2.0"):
        name = f"tiny_wheel-{version}"
        metadata = f"Metadata-Version: 2.1\nName: tiny-wheel\nVersion: {version}\n"
        with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny_wheel.py", f"version = {version}\n")
            wheel.writestr(f"{name}.dist-info/METADATA", metadata)
            wheel.writestr(
                f"{name}.dist-info/WHEEL",
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            wheel.writestr(f"{name}.dist-info/RECORD", "")
    _write_pip(folder)
    return folder


def _write_pip(folder: Path) -> None:
    installed = folder.parent / "pip"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target"]
    subprocess.run([*command, str(installed), "pip"], check=True)
    [info] = installed.glob("pip-*.dist-info")
    name = f"{info.name.removesuffix('.dist-info')}-py3-none-any.whl"
    archive = shutil.make_archive(str(folder.parent / "pip-archive"), "zip", installed)
    Path(archive).rename(folder / name)
