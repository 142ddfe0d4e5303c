"""Whether an image is the one of the launch."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from launch.container import digest
from launch.container.digest import require_same_image, with_digest
from launch.container.settings import Container, container_of
from pcm.errors import RefusedError
from pcm.run_dir.digests import sha256_of


@pytest.fixture
def container(tmp_path: Path) -> Container:
    image = tmp_path / "small.sif"
    image.write_bytes(b"first")
    return with_digest(Container(image))


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read as a whole."""
    read: list[Path] = []

    def noted(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    monkeypatch.setattr(digest, "sha256_of", noted)
    return read


def test_an_untouched_image_is_not_read_again(container: Container, readings: list[Path]) -> None:
    require_same_image(container)
    assert container_of(container.record()) == replace(container, environment={})
    assert readings == []


def test_another_content_of_the_same_size_and_time_is_found(container: Container) -> None:
    facts = container.image.stat()
    container.image.write_bytes(b"other")
    os.utime(container.image, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(RefusedError, match="has changed since the launch"):
        require_same_image(container)


def test_the_same_content_put_there_again_is_the_same_image(
    container: Container, readings: list[Path]
) -> None:
    container.image.write_bytes(b"first")
    require_same_image(container)
    assert readings == [container.image]


def test_a_launch_of_the_version_before_is_read_once_a_job(
    container: Container, readings: list[Path]
) -> None:
    record = container.record()
    del record["changed"]
    old = container_of(record)
    assert old is not None
    require_same_image(old)
    assert readings == [container.image]
