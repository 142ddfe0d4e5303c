"""What a terminal is shown of names and messages that others wrote."""

import pytest

from pcm.errors import Fault
from pcm.printable import printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\x08\x7f", r"a\rb\x08\x7f"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("a\u2066b\u2069c\u200bd\ufeff", r"a\u2066b\u2069c\u200bd\ufeff"),
        ("\udcff", r"\udcff"),
        ("\u2028", r"\u2028"),
        ("\U000e0041", r"\U000e0041"),
        ("β-vae größe 模型 [bold] \\x1b", "β-vae größe 模型 [bold] \\x1b"),
        ("two\n\tlines", "two\n\tlines"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_line_is_one_line() -> None:
    assert printable_line("a\nb\tc\x00") == r"a\nb\tc\x00"


def test_a_fault_shows_what_is_in_a_file_and_no_more() -> None:
    fault = Fault("unknown\x1b[2J key", "a\nb.yaml", 3, "k\u202ey", "\x9b", hint="did you mean 'x'")
    assert str(fault) == (
        "a\\nb.yaml:3: k\\u202ey: unknown\\x1b[2J key\n  found: \\x9b\n  try: did you mean 'x'"
    )
