"""What a build writes beside its image."""

from pathlib import Path

from launch.image.record import Record, read_record, record_path, write_record


def test_a_record_comes_back(tmp_path: Path) -> None:
    image = tmp_path / "my “ïmage”.v2.sif"
    assert read_record(image) is None
    record = Record(key="k", sha256="s", size=3)
    write_record(image, record)
    assert read_record(image) == record
    assert record_path(image).name == "my “ïmage”.v2.sif.json"


def test_a_record_is_of_an_image_with_its_key_and_size(tmp_path: Path) -> None:
    image = tmp_path / "image.sif"
    record = Record(key="k", sha256="s", size=3)
    assert not record.is_of(image, "k")
    image.write_bytes(b"123")
    assert record.is_of(image, "k")
    assert not record.is_of(image, "other")
    image.write_bytes(b"1")
    assert not record.is_of(image, "k")
