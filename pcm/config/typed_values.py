"""Values for arguments that are annotated as numbers or truth values, as jsonargparse reads them.

Asked by `pcm validate`, which has read an annotation from source, and by whoever builds the object.
"""

from collections.abc import Collection
from typing import Any

from pcm.config.scalars import resolve_scalar

SCALARS = (bool, int, float, str)
"""Types that a scalar of a file can be annotated as."""

_TRUTHS = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


def converted(value: Any, kinds: Collection[type]) -> Any:
    """The value as an argument of one of these types wants it; as it is, where it can't be.

    Text may stand for a number (`"1e-3"`) or a truth (`no`) where no text is wanted, and a whole
    number may be written as 1e3.
    """
    if isinstance(value, str) and str not in kinds:
        return _read(value, kinds)
    is_whole = type(value) is float and value.is_integer()
    return int(value) if is_whole and int in kinds and float not in kinds else value


def fits(value: Any, kinds: Collection[type]) -> bool:
    """Whether an argument of one of these types can be given a scalar."""
    given = converted(value, kinds)
    if isinstance(given, bool | int):
        # Python takes a truth for a number, and most numbers for a truth.
        return any(kind in kinds for kind in SCALARS)
    if isinstance(given, float):
        return float in kinds or str in kinds
    return isinstance(given, str) and str in kinds


def _read(text: str, kinds: Collection[type]) -> Any:
    truth = _TRUTHS.get(text.lower())
    if bool in kinds and truth is not None:
        return truth
    try:
        number = resolve_scalar(text)
    except ValueError:
        # Of more digits than Python reads.
        return text
    if int in kinds and type(number) is int:
        return number
    if float in kinds and type(number) in (int, float):
        return number
    return text
