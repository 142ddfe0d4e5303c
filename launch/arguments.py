"""Whether classes of a user's own take the arguments that a config gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.signatures import Signature, Unread, import_folders, is_of_package, read_signature
from pcm.config.keys import Keys
from pcm.config.names import did_you_mean
from pcm.config.structure import Finding
from pcm.config.structures.own import names_own_class

_FORMER = "pytorch_lightning"
"""The name that Lightning is also installed under, with classes of their own."""


@dataclass(slots=True)
class Arguments:
    """Looks at every class that a config names.

    Attributes:
        unread: why a class could not be looked at, by its path.
    """

    folders: list[Path] = field(default_factory=import_folders)
    unread: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Signature | Unread] = field(default_factory=dict)

    def findings(self, config: Any) -> Iterator[Finding]:
        """What is wrong with the arguments of every class in a config, however deep."""
        return self._look(config, (), is_outermost=True)

    def _look(self, value: Any, keys: Keys, *, is_outermost: bool) -> Iterator[Finding]:
        inside = is_outermost
        if names_own_class(value):
            for finding in self._look_at_class(value, is_outermost=is_outermost):
                yield finding.under(*keys)
            inside = False
        items = value.items() if isinstance(value, dict) else enumerate(value or ())
        for key, each in items:
            if isinstance(each, dict | list):
                yield from self._look(each, (*keys, key), is_outermost=inside)

    def _look_at_class(self, cfg: Mapping[str, Any], *, is_outermost: bool) -> Iterator[Finding]:
        path, given = cfg["class_path"], cfg.get("init_args") or {}
        if is_of_package(path, _FORMER, self.folders):
            yield _of_former(path)
            return
        signature = self._signature(path)
        if isinstance(signature, Unread):
            self.unread[path] = signature.reason
            return
        if signature.is_open:
            self.unread[path] = "it takes any **kwargs"
        for name in given:
            if name not in signature.names and not signature.is_open:
                hint = did_you_mean(name, signature.names)
                expected = ", ".join(signature.names) or "no arguments"
                problem = f"{path} takes no '{name}'"
                yield Finding(("init_args", name), problem, expected=expected, hint=hint)
        # What is inside another one's arguments may be a factory, which gets the rest later.
        missing = [name for name in signature.required if name not in given]
        for name in missing if is_outermost else ():
            yield Finding(("init_args", name), f"{path} needs '{name}'")

    def _signature(self, path: str) -> Signature | Unread:
        if path not in self._known:
            self._known[path] = read_signature(path, self.folders)
        return self._known[path]


def _of_former(path: str) -> Finding:
    expected = "one of lightning.pytorch, which is another package"
    hint = f"import lightning.pytorch, in place of {_FORMER}, in its module"
    return Finding(("class_path",), f"a class of {_FORMER}", path, expected, hint)
