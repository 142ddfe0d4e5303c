"""Names in a store that keeps them as a tree, where no name is both a leaf and a branch."""

import hashlib
from collections.abc import Iterable, Mapping

SERIES, FIELD = "series", "field"
"""What may be there under a name."""

_TAIL = 8
"""Characters that tell names apart whose slashes are gone."""


def digest(text: str) -> str:
    """A few characters that tell texts apart."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_TAIL]


class TreeNames:
    """What is called how, by what the store holds already: the first one keeps its own name.

    Beside `loss`, `loss/train` is `loss.train-` and a few characters of its digest.

    Args:
        leaves: names that are there, and of what kind each is; kinds share no name either.
    """

    def __init__(self, leaves: Mapping[str, str] | None = None) -> None:
        self._leaves: dict[str, str] = {}
        self._branches: set[str] = set()
        for name, kind in (leaves or {}).items():
            self._add(name, kind)

    def take(self, name: str, kind: str = SERIES) -> str:
        """The name, or another one where it has no place; from now on it is taken."""
        taken = self.find(name, kind)
        if taken is None:
            taken = name if self._has_place(name) else _flat(name)
            self._add(taken, kind)
        return taken

    def find(self, name: str, kind: str = SERIES) -> str | None:
        """What the store calls it; None where it has no such thing."""
        return next((n for n in (name, _flat(name)) if self._leaves.get(n) == kind), None)

    def _has_place(self, name: str) -> bool:
        if name in self._branches or name in self._leaves:
            return False
        return not any(above in self._leaves for above in _above(name))

    def _add(self, name: str, kind: str) -> None:
        self._leaves[name] = kind
        self._branches.update(_above(name))


def _above(name: str) -> Iterable[str]:
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _flat(name: str) -> str:
    return f"{name.replace('/', '.')}-{digest(name)}"
