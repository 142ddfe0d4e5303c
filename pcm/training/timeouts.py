"""Telling the error of a rank that has waited in vain for another one from any other error."""

from collections.abc import Iterator

_SIGNS = (
    "Timed out waiting",  # gloo
    "Watchdog caught collective operation timeout",  # NCCL
    "wait timeout after",  # the ranks' store
)


class AbsentRanksError(Exception):
    """Mixed into errors of our own that say that other ranks didn't come."""


def is_timeout(error: BaseException) -> bool:
    """Whether an error, or what it came from, is a collective operation that took too long."""
    return any(_is_one(each) for each in _chain(error))


def _is_one(error: BaseException) -> bool:
    if isinstance(error, AbsentRanksError):
        return True
    # torch has no type of its own for it: gloo raises RuntimeError, NCCL a subclass.
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
