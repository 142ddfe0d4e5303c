"""Whether classes of a user's own take the arguments that a config gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.annotations import ANYTHING
from launch.methods import lacks_method
from launch.signatures import (
    NoClass,
    NoModule,
    Signature,
    Unread,
    is_of_package,
    read_signature,
)
from launch.sources import Missing, find_module, import_folders, unfound_imports
from pcm.config.keys import Keys
from pcm.config.names import did_you_mean
from pcm.config.structure import Finding, Inspector
from pcm.config.structures.own import GIVEN, names_own_class
from pcm.errors import Fault

_FORMER = "pytorch_lightning"
"""The name that Lightning is also installed under, with classes of their own."""

_NOT_INSTALLED = "install its package, or name its folder in PYTHONPATH"


@dataclass(slots=True)
class Arguments:
    """Looks at every class that a config names.

    Attributes:
        is_here: whether training looks for modules where this does, with this very Python.
        unread: why a class could not be looked at, by its path.
    """

    folders: list[Path] = field(default_factory=import_folders)
    is_here: bool = False
    unread: dict[str, str] = field(default_factory=dict)
    _known: dict[str, Signature | Unread] = field(default_factory=dict)
    _lacking: dict[tuple[str, str], bool] = field(default_factory=dict)

    def findings(self, config: Any) -> Iterator[Finding]:
        """What is wrong with the arguments of every class in a config, however deep."""
        return self._look(config, (), 0)

    def lacks(self, path: str, method: str) -> bool:
        """Whether a class has no such method, for sure."""
        if (path, method) not in self._lacking:
            self._lacking[path, method] = lacks_method(path, method, self.folders)
        return self._lacking[path, method]

    def preload_fault(self, name: str) -> Fault | None:
        """What is wrong with a module to load once for many, if training would not find it."""
        module = find_module(name, self.folders) if self.is_here else None
        if not isinstance(module, Missing) or not module.is_certain:
            return None
        return Fault(module.reason, found=name, hint=module.hint or _NOT_INSTALLED)

    def _look(self, value: Any, keys: Keys, later: int | None) -> Iterator[Finding]:
        """Look at a config, however deep.

        Args:
            later: how many arguments a class gets from training, before those of the file; None
                where that can't be told, since it may be a factory, which gets any later.
        """
        is_outermost_class = names_own_class(value) and later == 0
        if names_own_class(value):
            for finding in self._look_at_class(value, later):
                yield finding.under(*keys)
            later = None
        items = value.items() if isinstance(value, dict) else enumerate(value or ())
        for key, each in items:
            if isinstance(each, dict | list):
                inside = 1 if is_outermost_class and key in GIVEN else later
                yield from self._look(each, (*keys, key), inside)

    def _look_at_class(self, cfg: Mapping[str, Any], later: int | None) -> Iterator[Finding]:
        path, given = cfg["class_path"], cfg.get("init_args") or {}
        if is_of_package(path, _FORMER, self.folders):
            yield _of_former(path)
            return
        signature = self._signature(path)
        if isinstance(signature, Unread):
            if finding := _of_nothing(path, signature, is_certain=self.is_here):
                yield finding
            else:
                self.unread[path] = str(signature)
            return
        if self.is_here and (problem := self._unfound(path)):
            yield Finding(("class_path",), problem, path, hint=_NOT_INSTALLED)
        if signature.is_open:
            self.unread[path] = "it takes any **kwargs"
        yield from (each.under("init_args") for each in _look_at(given, signature, path, later))

    def _unfound(self, path: str) -> str | None:
        """What the class's module imports that isn't installed; None if all of it is."""
        module = find_module(path.rpartition(".")[0], self.folders)
        if isinstance(module, Missing):
            return None
        unfound = [
            f"{name} ({module.path}, line {line})"
            for name, line in unfound_imports(module, self.folders)
        ]
        return f"its module imports what is not found: {', '.join(unfound)}" if unfound else None

    def _signature(self, path: str) -> Signature | Unread:
        if path not in self._known:
            self._known[path] = read_signature(path, self.folders)
        return self._known[path]


def _look_at(
    given: Mapping[str, Any], signature: Signature, path: str, later: int | None
) -> Iterator[Finding]:
    """What is wrong with the arguments of a class; see `Arguments._look`."""
    inspect, theirs = Inspector().inspect, signature.names[: later or 0]
    names = signature.names[len(theirs) :]
    for name, value in given.items():
        for finding in inspect(value, signature.types.get(name, ANYTHING)):
            expected = f"{finding.expected}, as {path} annotates it"
            yield finding._replace(expected=expected).under(name)
        if name in theirs:
            yield Finding((name,), f"{path} gets '{name}' from training", expected="nothing here")
        elif name not in names and not signature.is_open:
            expected = ", ".join(names) or "no arguments"
            hint = did_you_mean(name, names)
            yield Finding((name,), f"{path} takes no '{name}'", expected=expected, hint=hint)
    needed = () if later is None else signature.required[later:]
    for name in (name for name in needed if name not in given):
        yield Finding((name,), f"{path} needs '{name}'")


def _of_nothing(path: str, why: Unread, *, is_certain: bool) -> Finding | None:
    """What is wrong with a class that can't be found, if that is for sure."""
    if isinstance(why, NoClass):
        module, _, name = path.rpartition(".")
        return Finding(("class_path",), f"{module} has no '{name}'", path, hint=why.hint)
    if isinstance(why, NoModule) and is_certain:
        return Finding(("class_path",), why.reason, path, hint=why.hint or _NOT_INSTALLED)
    return None


def _of_former(path: str) -> Finding:
    expected = "one of lightning.pytorch, which is another package"
    hint = f"import lightning.pytorch, in place of {_FORMER}, in its module"
    return Finding(("class_path",), f"a class of {_FORMER}", path, expected, hint)
