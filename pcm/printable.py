"""Text of others as a terminal may have it: nothing in it moves the cursor, hides or turns round.

Names, keys and messages come from files and programs that somebody else may have written.
"""

import re

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, without tab and newline
    "\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # bytes of a file's name that are no text
    "\U000e0000-\U000e007f"
    "]"
)

_IN_A_LINE = str.maketrans({"\n": "\\n", "\t": "\\t"})


def printable(text: str) -> str:
    """The text with an escape, as Python writes it, for each character that can't be seen."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable_line(text: str) -> str:
    """As `printable`, on one line."""
    return printable(text).translate(_IN_A_LINE)
