"""Which failures have one cause, by what is said of them."""

import re

_VARYING = re.compile(r"0x[0-9a-f]+|\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def cause(text: str) -> str:
    """What is said, without what differs between two failures alike: addresses, sizes, steps."""
    return _VARYING.sub("#", text)
