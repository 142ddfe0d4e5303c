"""What a grid's points ask of a machine, each different request read once."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from launch.grid.accelerators import unmet_wishes
from launch.grid.blame import Blame
from launch.grid.file import RESOURCES, GridFile
from launch.grid.points import Frame
from launch.site import (
    DECIDES_EFFECT,
    Resources,
    combined,
    contradictions,
    idle_entries,
    parse_resources,
)
from pcm.errors import Fault


class ResourceRequests:
    """Reads requests, and collects what is wrong with them.

    Attributes:
        unmet: what a trainer wants of its node that jobs with these resources may not get.
    """

    def __init__(self, grid: GridFile, blame: Blame) -> None:
        self.unmet: dict[str, None] = {}
        self._grid = grid
        self._blame = blame
        self._entries = grid.resources
        self._flags = grid.resource_flags
        self._known: dict[tuple[int, ...], Resources] = {}
        self._idle: list[tuple[Collection[str], Mapping[str, str]]] = []
        self._faults: dict[Fault, None] = {}

    def of(
        self, frame: Frame, values: Sequence[Any], config: Mapping[str, Any], *, is_known: bool
    ) -> Resources:
        """What the point of these values asks for.

        Args:
            config: its own, as far as its trainer goes.
            is_known: whether nothing is left out that could give an entry its effect.
        """
        trainer = config.get("trainer") or {}
        # The grid keeps its values, so their ids stay theirs.
        decisive = [trainer.get(key) for key in ("num_nodes", "devices", "accelerator")]
        token = tuple(map(id, [*decisive, *(values[position] for position, _ in frame.asked)]))
        if token not in self._known:
            varied = {name: values[position] for position, name in frame.asked}
            resources = self._parse(varied)
            decided = resources.with_ranks_of(trainer)
            self._note(contradictions(decided))
            self._known[token] = decided
            for finding in unmet_wishes(trainer, decided):
                self.unmet[_in_a_line(self._blame.on_any(finding, frame, config))] = None
            if is_known:
                # Where a trainer asks for the ranks, that's no entry of the file.
                said = replace(decided, tasks_per_node=resources.tasks_per_node)
                self._idle.append((resources.given().keys(), idle_entries(said)))
        return self._known[token]

    def faults(self) -> list[Fault]:
        """What is wrong with them all; where no point has asked, with what all would ask for."""
        if not self._known:
            self._parse({})
        return [*self._faults, *self._idle_faults()]

    def _parse(self, varied: Mapping[str, Any]) -> Resources:
        entries = combined(self._flags, {**self._entries, **varied})
        resources, faults = parse_resources(entries)
        self._note(faults)
        return resources

    def _note(self, faults: Iterable[Fault]) -> None:
        self._faults.update(dict.fromkeys(map(self._located, faults)))

    def _located(self, fault: Fault) -> Fault:
        path = f"{RESOURCES}{fault.key}"
        return self._grid.locate(replace(fault, key=path), path)

    def _idle_faults(self) -> Iterator[Fault]:
        """The entries that do nothing for any point.

        What a flag makes idle is no fault of the file, which may be right without the flag.
        """
        overruled = DECIDES_EFFECT & self._flags.keys()
        for name in dict.fromkeys(name for _, idle in self._idle for name in idle):
            if all(name in idle or name not in given for given, idle in self._idle):
                reason = next(idle[name] for _, idle in self._idle if name in idle)
                if name in self._flags or not overruled:
                    yield self._located(Fault(reason, key=name))


def _in_a_line(fault: Fault) -> str:
    return f"{fault.file}:{fault.line}: {fault.key}: {fault.found}: {fault.problem}"
