"""How the parts of a chain fit together: links, commands, optimizers, loss schedulers.

Every check takes any value: what is malformed was reported by its structure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pcm.config.keys import Keys
from pcm.config.names import did_you_mean
from pcm.config.shapes import Record
from pcm.config.structure import Finding, Inspector
from pcm.config.structures.links import LINKS, LinkSpec
from pcm.config.wording import shown

MAIN_COMMAND = "forward"
"""The command that training runs."""


class LinkInfo(NamedTuple):
    """What others need to know of a link.

    Attributes:
        spec_path: as written.
        trainable: whether it has parameters; None where only the link itself could tell.
    """

    name: str
    spec_path: str
    trainable: bool | None

    @property
    def spec(self) -> LinkSpec | None:
        """What the link declares; None for a link of the user's own."""
        return LINKS.get(self.spec_path)

    def method(self, name: Any) -> Record | None:
        """Kwargs of one of its methods; None where there is none that is known."""
        return self.spec.methods.get(name) if self.spec and isinstance(name, str) else None


class Links(tuple[LinkInfo, ...]):
    """The links of a chain, in order; looked up by name."""

    __slots__ = ()

    def named(self, name: str) -> LinkInfo | None:
        """The first link of that name."""
        return next((link for link in self if link.name == name), None)

    def names(self) -> list[str]:
        """All names."""
        return [link.name for link in self]


def check_wiring(model: Any, inspector: Inspector) -> Iterator[Finding]:
    """What doesn't fit together in a model."""
    if not isinstance(model, dict):
        return
    yield from under(_check_names(_names_of(items_of(model, "chain"), "name")), "chain")
    commands = items_of(model, "commands")
    schedulers = items_of(entry(model, "loss_manager"), "loss_coef_schedulers")
    members = [items_of(optimizer, "links") for optimizer in items_of(model, "optimizers")]
    links = links_of(model, inspector)
    yield from inspector.once(_check_uses, links, commands, schedulers, *members)


def _check_uses(
    inspector: Inspector,
    links: Links,
    commands: list[Any],
    schedulers: list[Any],
    *members: list[Any],
) -> list[Finding]:
    return [
        *under(_check_commands(inspector, commands, links), "commands"),
        *_check_owners(links, members),
        *under(_check_schedulers(schedulers, links), "loss_manager", "loss_coef_schedulers"),
    ]


def links_of(model: Any, inspector: Inspector) -> Links:
    """The well-formed links of a model; equal tables are one object."""
    return inspector.once(_read_links, items_of(model, "chain"))


def entry(value: Any, key: str) -> Any:
    """`value[key]` where there is such a thing, else None."""
    return value.get(key) if isinstance(value, dict) else None


_NO_ITEMS: list[Any] = []


def items_of(value: Any, key: str) -> list[Any]:
    """The list at `key`, or an empty one."""
    items = entry(value, key)
    # Always the same empty list, since an Inspector knows things by their identity.
    return items if isinstance(items, list) else _NO_ITEMS


def unknown_name(name: Any, names: Iterable[str], what: str, keys: Keys) -> Iterator[Finding]:
    """A finding where `name` is a string but none of `names`."""
    names = list(names)
    if isinstance(name, str) and name not in names:
        expected = f"one of {', '.join(names)}" if names else f"a {what}; there is none"
        yield Finding(keys, f"unknown {what}", shown(name), expected, did_you_mean(name, names))


def _read_links(inspector: Inspector, chain: list[Any]) -> Links:
    links = [inspector.once(_read_link, item) for item in chain]
    return _interned(Links(link for link in links if link is not None))


def _read_link(inspector: Inspector, item: Any) -> LinkInfo | None:
    name, spec_path = entry(item, "name"), entry(item, "chain_link_spec_path")
    if not (isinstance(name, str) and isinstance(spec_path, str)):
        return None
    return LinkInfo(name, spec_path, _trainable(item, inspector))


@lru_cache(maxsize=256)
def _interned(links: Links) -> Links:
    return links


def _trainable(item: Mapping[str, Any], inspector: Inspector) -> bool | None:
    spec = LINKS.get(item["chain_link_spec_path"])
    if spec is None or inspector.inspect(item.get("cfg"), spec.structure):
        return None
    return spec.trainable(item["cfg"])


def under(findings: Iterable[Finding], *keys: str | int) -> Iterator[Finding]:
    """The findings as seen from a value that holds what was inspected at `keys`."""
    return (finding.under(*keys) for finding in findings)


def _names_of(items: list[Any], key: str) -> tuple[str | None, ...]:
    """Every item's name; None where it is no string."""
    names = (entry(item, key) for item in items)
    return tuple(name if isinstance(name, str) else None for name in names)


@lru_cache(maxsize=256)
def _check_names(names: tuple[str | None, ...]) -> list[Finding]:
    return [*_repeated(names, "name", "link"), *_unfit(names)]


def _unfit(names: Sequence[str | None]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name is not None and (not name.strip() or "." in name):
            expected = "a name without dots, since paths are joined by them"
            yield Finding((index, "name"), "a link can't have this name", shown(name), expected)


def _repeated(names: Sequence[str | None], key: str, what: str) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            expected = f"a name of its own; item {first[name]} (from 0) has this one"
            yield Finding((index, key), f"two {what}s have one name", shown(name), expected)
        elif name is not None:
            first[name] = index


def _check_commands(inspector: Inspector, commands: list[Any], links: Links) -> list[Finding]:
    names = _names_of(commands, "command_name")
    findings = [*_repeated(names, "command_name", "command"), *_check_main(commands, links)]
    for index, command in enumerate(commands):
        is_main = entry(command, "command_name") == MAIN_COMMAND
        for place, step in enumerate(items_of(command, "processing_steps")):
            found = _check_step(step, links, inspector, is_main=is_main)
            findings += under(found, index, "processing_steps", place)
    return findings


def _check_main(commands: list[Any], links: Links) -> Iterator[Finding]:
    names = [name for item in commands if isinstance(name := entry(item, "command_name"), str)]
    if MAIN_COMMAND not in names:
        expected = f"a command named '{MAIN_COMMAND}', which training runs"
        found = ", ".join(names) or "no commands"
        hint = next((f"rename '{n}'" for n in names if did_you_mean(MAIN_COMMAND, [n])), None)
        yield Finding((), f"no command '{MAIN_COMMAND}'", found, expected, hint)
        return
    index = next(
        i for i, item in enumerate(commands) if entry(item, "command_name") == MAIN_COMMAND
    )
    steps = items_of(commands[index], "processing_steps")
    if not any(_may_give_loss(step, links) for step in steps):
        problem = f"'{MAIN_COMMAND}' gives no loss to train on"
        yield Finding((index, "processing_steps"), problem, expected="a step of a link with a loss")


def _may_give_loss(step: Any, links: Links) -> bool:
    link = links.named(entry(step, "link"))
    return link is None or link.spec is None or bool(link.spec.losses)


def _check_step(
    step: Any, links: Links, inspector: Inspector, *, is_main: bool
) -> Iterator[Finding]:
    name, method, kwargs = (entry(step, key) for key in ("link", "method", "kwargs"))
    yield from unknown_name(name, links.names(), "link", ("link",))
    link = links.named(name)
    if link is None or link.spec is None:
        return
    yield from unknown_name(method, link.spec.methods, f"method of {link.spec_path}", ("method",))
    wanted = link.method(method)
    if wanted is not None and isinstance(kwargs, dict):
        # What another command lacks may come as dynamic_kwargs when it is called.
        structure = wanted if is_main else _without_required(wanted)
        yield from under(inspector.inspect(kwargs, structure), "kwargs")


@lru_cache(maxsize=256)
def _without_required(method: Record) -> Record:
    """The same keys, all of them optional."""
    return method.relaxed()


def _check_owners(links: Links, optimizers: Sequence[list[Any]]) -> list[Finding]:
    owners: dict[Any, int] = {}
    findings: list[Finding] = []
    for index, members in enumerate(optimizers):
        for place, name in enumerate(members):
            if not isinstance(name, str):
                continue
            keys = ("optimizers", index, "links", place)
            findings += unknown_name(name, links.names(), "link", keys)
            findings += _owned_twice(name, owners, keys)
            owners.setdefault(name, index)
        findings += _nothing_to_train(members, links, index)
    for place, link in enumerate(links):
        if link.trainable and link.name not in owners:
            hint = f"add {link.name} to the links of an optimizer"
            problem = f"the link '{link.name}' has parameters but no optimizer"
            findings.append(Finding(("chain", place), problem, expected="one", hint=hint))
    return findings


def _owned_twice(name: str, owners: Mapping[Any, int], keys: Keys) -> Iterator[Finding]:
    if name in owners:
        expected = f"one; optimizers.{owners[name]} has it already"
        yield Finding(keys, f"the link '{name}' is in two optimizers", shown(name), expected)


def _nothing_to_train(members: list[Any], links: Links, index: int) -> Iterator[Finding]:
    named = [links.named(name) for name in members]
    if all(link is not None and link.trainable is False for link in named):
        problem = "no link of this optimizer has parameters"
        found = ", ".join(members) or "[]"
        yield Finding(("optimizers", index, "links"), problem, found, "a link that learns")


def _check_schedulers(schedulers: list[Any], links: Links) -> list[Finding]:
    findings: list[Finding] = []
    seen: set[tuple[Any, Any]] = set()
    for index, item in enumerate(schedulers):
        link_name, loss_name = entry(item, "link_name"), entry(item, "loss_name")
        findings += unknown_name(link_name, links.names(), "link", (index, "link_name"))
        link = links.named(link_name)
        if link is not None and link.spec is not None:
            what = f"loss of the link '{link_name}'"
            findings += unknown_name(loss_name, link.spec.losses, what, (index, "loss_name"))
        if isinstance(link_name, str) and isinstance(loss_name, str):
            if (link_name, loss_name) in seen:
                found = f"{loss_name} of {link_name}"
                findings.append(Finding((index,), "two entries for one loss", found))
            seen.add((link_name, loss_name))
    return findings
