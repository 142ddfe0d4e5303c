"""Lines that are parsed as one text, which must mean what each of them means."""

import pytest

from pcm.run_dir.typed_json import parse_object, parse_objects

GOOD = b'{"id": "1", "values": [1, 2]}\n'


@pytest.mark.parametrize("lines", [[], [GOOD], [GOOD, b' {"id": "\xc3\xa9"}'], [GOOD] * 3])
def test_together_they_are_what_each_is(lines: list[bytes]) -> None:
    assert parse_objects(lines) == [parse_object(line) for line in lines]


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"3", b'{"id": ', b"{}, {}", b"{}]", b'{"id": "\\ud800"}', b'{"id": "\xe9"}'],
)
def test_one_that_is_damaged_is_noticed(line: bytes) -> None:
    told = "a line holds no|Expecting|Extra data|codec"
    for lines in ([line], [GOOD, line], [line, GOOD]):
        with pytest.raises(ValueError, match=told):
            parse_objects(lines)


def test_a_value_over_two_lines_is_none() -> None:
    with pytest.raises(ValueError, match="a line holds no JSON object"):
        parse_objects([b'{"values": [1', b"2]}"])
