"""Which line of which file is to blame for what is wrong with a point."""

from dataclasses import replace
from typing import Any

from launch.grid.file import GridFile
from launch.grid.frames import FrameMaker
from launch.grid.points import Frame
from pcm.config.keys import Keys, dotted, overlap
from pcm.config.structure import Finding, line_of
from pcm.config.structures.run_command import RUN
from pcm.errors import Fault


class Blame:
    """Places findings in the files that a grid was read from."""

    def __init__(self, grid: GridFile, frames: FrameMaker) -> None:
        self._grid = grid
        self._frames = frames

    def on_grid(self, finding: Finding, frame: Frame, config: Any) -> Fault:
        """The finding as a fault of the grid file, whose overrides fit no more."""
        places = self._overrides(frame)
        blamed = [path for path, keys in places.items() if overlap(keys, finding.keys)]
        if finding.keys[0] != RUN:
            # The section is another file, whereas a script stands in this one.
            blamed += [path for path, keys in places.items() if keys[0] == finding.keys[0]]
        fault = fault_of(finding, config)
        return self._grid.locate(fault, *blamed, str(fault.key))

    def on_any(self, finding: Finding, frame: Frame, config: Any) -> Fault:
        """The same of the override that sets this very place, else of the base file."""
        fault = fault_of(finding, config)
        places = self._overrides(frame).items()
        blamed = [path for path, keys in places if overlap(keys, finding.keys)]
        section, *inside = finding.keys
        document = self._frames.document(frame, str(section))
        if blamed or document is None:
            return self._grid.locate(fault, *blamed, str(fault.key))
        line = line_of(document.lines, tuple(inside))
        return replace(fault, file=document.name, line=line)

    def on_entry(self, fault: Fault, path: str) -> Fault:
        """The fault of an entry of the grid file that is no part of an experiment."""
        return self._grid.locate(replace(fault, key=path), path)

    def _overrides(self, frame: Frame) -> dict[str, Keys]:
        """Where in a frame's config each override sets its value, by its path as written."""
        axes = {frame.paths[position]: keys for position, keys in frame.targets}
        return {**axes, **self._frames.fixed_keys(frame.config, frame.unsound)}


def fault_of(finding: Finding, config: Any) -> Fault:
    """The finding as a fault that is nowhere yet."""
    return Fault(
        finding.problem,
        key=dotted(config, finding.keys),
        found=finding.found,
        expected=finding.expected,
        hint=finding.hint,
    )
