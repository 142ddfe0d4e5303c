"""One of many by the beginning of its name, or an answer that helps."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from pcm.errors import NotFoundError, UsageError

_SHOWN = 8
"""How many candidates a message lists."""

T = TypeVar("T")


def only_one(
    what: str,
    prefix: str,
    candidates: Sequence[T],
    key: Callable[[T], str],
    label: Callable[[T], str],
) -> T:
    """The candidate whose key is `prefix`, or the only one whose key begins with it.

    Args:
        what: what the candidates are, for messages.
        key: what `prefix` is the beginning of.
        label: how a candidate is shown.

    Raises:
        NotFoundError: there is none.
        UsageError: there are several.
    """
    exact = [candidate for candidate in candidates if key(candidate) == prefix]
    matches = exact or [item for item in candidates if prefix and key(item).startswith(prefix)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = "\n".join(f"  {label(candidate)}" for candidate in matches[:_SHOWN])
        more = f"\n  and {len(matches) - _SHOWN} more" if len(matches) > _SHOWN else ""
        raise UsageError(
            f"'{prefix}' stands for {len(matches)} {what}s:\n{shown}{more}",
            hint="give more of it",
        )
    raise NotFoundError(f"no {what} '{prefix}'", hint=_hint(what, prefix, [*map(key, candidates)]))


def _hint(what: str, prefix: str, keys: Sequence[str]) -> str:
    if not keys:
        return "nothing was launched into this runs folder; choose another with --runs-dir"
    near = get_close_matches(prefix, keys, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    known = f"the one {what} there is" if len(keys) == 1 else f"the {len(keys)} {what}s there are"
    return f"`pcm status` shows {known}"
