"""Images that are built, looked into and verified by a real Apptainer, without privileges."""

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.person import wait_for
from tests.container.owner import PCM, Owner
from tests.container.small import write_project, write_wheels

ROOT = Path(__file__).parents[2]

BUILDING = "Starting build"
"""What Apptainer says once for each stage that it builds."""


@dataclass(frozen=True)
class Workshop:
    """Somebody with a small checkout, wheels and a base; no network is asked for."""

    owner: Owner
    base: Path

    @property
    def project(self) -> Path:
        return self.owner.folder / "the chëckout"

    @property
    def image(self) -> Path:
        return self.owner.folder / "small ïmage.sif"

    @property
    def cache(self) -> Path:
        return self.owner.folder / "cache"

    @property
    def scratch(self) -> Path:
        # Apptainer can't have a comma in it.
        return self.owner.folder.parent / "scratch ö"

    def command(self) -> list[str]:
        wheels = str(self.owner.folder / "my wheels, all: of them")
        return [
            *("image", "build", self.image.name, "--kind", "offline", "--wheels", wheels),
            *("--base", str(self.base), "--project", str(self.project), "--compression", "lz4"),
            *("--cache-dir", str(self.cache)),
        ]

    def build(self, exit_code: int = 0) -> str:
        done = self.owner.pcm(*self.command())
        assert done.returncode == exit_code, done.stderr
        return done.stderr

    def run(self, *arguments: str) -> str:
        done = self.owner.run(
            str(self.owner.apptainer), "run", "--cleanenv", str(self.image), *arguments
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def leftovers(self) -> list[Path]:
        aside = [*self.owner.folder.glob(".*.new"), *self.cache.glob("build-*")]
        return [*aside, *self.scratch.iterdir()]


@pytest.fixture(scope="module")
def small(session_owner: Owner, system: Path) -> Iterator[Workshop]:
    """A workshop whose image is built."""
    folder = session_owner.folder / "my “imåges” $HOME, it's; a b"
    folder.mkdir()
    owner = Owner(session_owner.name, folder, session_owner.apptainer)
    workshop = Workshop(owner, system)
    workshop.scratch.mkdir()
    owner.environment["APPTAINER_TMPDIR"] = str(workshop.scratch)
    write_project(workshop.project)
    write_wheels(folder / "my wheels, all: of them")
    owner.take(session_owner.folder)
    workshop.build()
    yield workshop
    shutil.rmtree(folder)


def test_an_image_is_built_from_a_folder_of_wheels(small: Workshop) -> None:
    assert "trained in a folder's run with /opt/pcm/lib/" in small.run("a folder's run")
    assert not small.leftovers()


def test_an_image_keeps_to_the_constraints(small: Workshop) -> None:
    program = "import tiny_wheel; print(tiny_wheel.version)"
    python = [str(small.owner.apptainer), "exec", str(small.image), "python", "-c", program]
    assert small.owner.run(*python).stdout == "1.0\n"


def test_everything_in_an_image_is_compiled(small: Workshop) -> None:
    program = """if True:
        import importlib.util, json, os, pcm.run_dir, tiny_wheel
        for module in (json, pcm.run_dir, tiny_wheel):
            assert os.path.exists(importlib.util.cache_from_source(module.__file__)), module
    """
    python = [str(small.owner.apptainer), "exec", str(small.image), "python", "-c", program]
    done = small.owner.run(*python)
    assert done.returncode == 0, done.stderr


def test_what_is_up_to_date_is_left_alone(small: Workshop) -> None:
    before = small.image.stat().st_mtime_ns
    assert BUILDING not in small.build()
    assert small.image.stat().st_mtime_ns == before


def test_a_change_of_code_builds_no_environment(small: Workshop) -> None:
    main = small.project / "pcm" / "__main__.py"
    main.write_text(main.read_text().replace("trained in", "trained anew in"))
    assert small.build().count(BUILDING) == 1
    assert "trained anew in x" in small.run("x")


def test_an_image_that_cannot_train_replaces_nothing(small: Workshop) -> None:
    main = small.project / "pcm" / "__main__.py"
    good = main.read_text()
    main.write_text("raise SystemExit('no way to train')\n")
    told = small.build(exit_code=4)
    main.write_text(good)
    assert "no way to train" in told
    assert "trained" in small.run("x")
    assert not small.leftovers()
    assert BUILDING not in small.build()


def test_ctrl_c_keeps_the_stage_that_is_done(small: Workshop) -> None:
    known = set(small.cache.glob("*.sif"))
    (small.project / "constraints.txt").write_text("tiny-wheel==2.0\n")
    process = small.owner.start(PCM, *small.command())
    wait_for(lambda: set(small.cache.glob("environment-*.sif")) - known)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not small.leftovers()
    assert small.build().count(BUILDING) == 1


def test_what_is_no_checkout_is_refused(owner: Owner) -> None:
    done = owner.pcm("image", "build")
    assert done.returncode == 4
    assert "is no checkout of pcm" in done.stderr


def test_an_image_tells_what_is_in_it(small: Workshop) -> None:
    shown = small.owner.pcm("image", "show", small.image.name, "--json")
    assert shown.returncode == 0, shown.stderr
    record = json.loads(shown.stdout)
    assert record["size"] == small.image.stat().st_size
    assert record["sha256"] == digest(small.image)
    assert record["labels"]["version"] == "9.8.7"
    assert {"commit", "key", "python", "schema"} <= set(record["labels"])


def test_a_good_image_verifies(small: Workshop) -> None:
    for options in ([], ["--sha256", digest(small.image)[:9].upper()]):
        done = small.owner.pcm("image", "verify", small.image.name, *options)
        assert done.returncode == 0, done.stderr
        assert "not signed" in done.stdout


def test_another_image_does_not(small: Workshop) -> None:
    done = small.owner.pcm("image", "verify", small.image.name, "--sha256", "0123abcd")
    assert done.returncode == 4
    assert digest(small.image) in done.stderr


def test_a_copy_without_a_record_needs_a_digest(small: Workshop) -> None:
    copy = small.image.with_name("copy.sif")
    shutil.copy(small.image, copy)
    done = small.owner.pcm("image", "verify", copy.name)
    assert done.returncode == 4
    assert "--sha256" in done.stderr
    assert small.owner.pcm("image", "verify", "none.sif").returncode == 5


def test_signatures_are_checked(small: Workshop) -> None:
    signed = small.image.with_name("signed.sif")
    shutil.copy(small.image, signed)
    small.owner.take(small.owner.folder)
    apptainer = str(small.owner.apptainer)
    identity = ("--name", "test", "--email", "test", "--comment", "", "--password", "")
    for command in (("key", "newpair", *identity, "--push=false"), ("sign", str(signed))):
        done = small.owner.run(apptainer, *command)
        assert done.returncode == 0, done.stderr
    verified = small.owner.pcm("image", "verify", signed.name, "--sha256", digest(signed))
    assert "all signatures hold" in verified.stdout, verified.stderr
    with signed.open("r+b") as file:
        file.seek(signed.stat().st_size // 2)
        file.write(b"tampered with")
    refused = small.owner.pcm("image", "verify", signed.name, "--sha256", digest(signed))
    assert refused.returncode == 4
    assert "Apptainer refused" in refused.stderr


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
