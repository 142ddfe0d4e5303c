from typing import Any

import pytest

from launch.site import format_memory, format_time, parse_memory, parse_time
from launch.site.units import parse_node_memory


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ("12:00:00", 720),
        ("1-00:00:00", 1440),
        ("1-6", 1800),
        ("2-1:30", 2970),
        ("90:00", 90),
        ("0:30", 1),
        ("1:00:01", 61),
        ("90", 90),
        (90, 90),
        ("90m", 90),
        ("12h", 720),
        ("2d", 2880),
        (" 5 ", 5),
        ("1d12h", 2160),
        ("90min", 90),
        ("90 minutes", 90),
        ("36H", 2160),
        ("1.5h", 90),
        ("1h30m", 90),
        ("2 days 3 hours", 3060),
        ("90s", 2),
        ("UNLIMITED", 0),
        ("infinite", 0),
    ],
)
def test_times(value: Any, minutes: int) -> None:
    assert parse_time(value) == minutes


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "1:2:3:4",
        "-5",
        -5,
        0,
        "0:00",
        "1-",
        1.5,
        True,
        None,
        "12:00:00 pm",
        [1],
        "h",
        "12h1d",
        "1h2h",
        "1.5",
        "0h",
        "99999999999",
        "9" * 5000,
        "1x",
    ],
)
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(value)


@pytest.mark.parametrize("minutes", [1, 59, 60, 720, 1439, 1440, 10_000])
def test_times_are_written_as_they_are_read(minutes: int) -> None:
    assert parse_time(format_time(minutes)) == minutes


def test_a_day_has_a_field_of_its_own() -> None:
    assert format_time(720) == "12:00:00"
    assert format_time(1800) == "1-06:00:00"
    assert format_time(parse_time("unlimited")) == "UNLIMITED"


@pytest.mark.parametrize(
    ("value", "megabytes"),
    [
        ("32G", 32768),
        ("500M", 500),
        ("1T", 1024**2),
        ("2048K", 2),
        ("1.5G", 1536),
        ("32g", 32768),
        ("32GB", 32768),
        ("32 GiB", 32768),
        ("32Gi", 32768),
        ("32gib", 32768),
        ("100", 100),
        (100, 100),
    ],
)
def test_memory(value: Any, megabytes: int) -> None:
    assert parse_memory(value) == megabytes


@pytest.mark.parametrize("value", ["lots", "", "-1G", "1K", 0, "32X", True, None, 1.5, "9" * 5000])
def test_what_is_no_memory(value: Any) -> None:
    with pytest.raises(ValueError, match=r"memory|megabyte"):
        parse_memory(value)


def test_all_of_a_nodes_memory() -> None:
    assert [parse_node_memory(value) for value in (0, "0", "1G")] == [0, 0, 1024]


@pytest.mark.parametrize("value", [False, "0M", 0.0, None])
def test_what_is_not_all_of_it(value: Any) -> None:
    with pytest.raises(ValueError, match=r"memory|megabyte"):
        parse_node_memory(value)


def test_memory_is_written_in_the_largest_unit() -> None:
    assert [format_memory(size) for size in (500, 1024, 1536, 1024**2)] == [
        "500M",
        "1G",
        "1536M",
        "1T",
    ]
