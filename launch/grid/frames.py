"""Base files and fixed overrides put together, and where each axis sets its values."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from launch.grid.bases import FOLDERS, find_file
from launch.grid.blocks import Block
from launch.grid.file import RESOURCES, GridFile
from launch.grid.points import Frame
from pcm.config.check import section_faults
from pcm.config.document import Document, load_document
from pcm.config.keys import Keys, overlap
from pcm.config.override import resolve, with_value
from pcm.config.structures.run_command import RUN
from pcm.errors import ConfigError, Fault
from pcm.run_dir import SCHEMA_VERSION

NO_TRAINER: Mapping[str, Any] = {
    "callbacks": [],
    "num_nodes": None,
    "devices": None,
    "accelerator": None,
    "kwargs": {},
}
"""The trainer of a grid that names none."""

SCALARS: Mapping[str, Any] = {"seed": 0, "subsample_size": None}
"""Entries of an experiment's config that a grid file may leave out, and what they are then."""


class FrameMaker:
    """Loads every base file once, and makes the frames that a grid's points need.

    Attributes:
        apart: base files by their sections and names that can't be judged with what leads into
            them, since they are wrong by themselves, or a path leads nowhere.
    """

    def __init__(self, grid: GridFile, labels: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self.apart: dict[tuple[str, str], Document] = {}
        self.bases: dict[str, list[Any]] = {section: [] for section in grid.sections}
        self._documents: dict[str, list[Document | None]] = {name: [] for name in grid.sections}
        self._grid = grid
        self._labels = labels
        self._loaded: dict[tuple[str, str | None], int] = {}
        self._unsound: set[tuple[str, int]] = set()
        self._lost: set[str] = set()

    def runs(self, block: Block) -> Iterator[tuple[Frame, list[tuple[Any, ...]]]]:
        """The rows of `block`, those of one frame that follow each other with that frame.

        What is wrong with a frame is in `faults` from then on.
        """
        varied = [position for position in block.file_positions if position is not None]
        names = itemgetter(*varied) if varied else (lambda _row: None)
        frames: dict[Any, Frame] = {}
        for named, rows in itertools.groupby(block.rows(), names):
            run = list(rows)
            if named not in frames:
                frames[named] = self._make(block, self._files(block, run[0]))
            yield frames[named], run

    def _files(self, block: Block, values: Sequence[Any]) -> dict[str, str | None]:
        """The base file of each section of one row of `block`; None for a section without."""
        files = (
            values[position] if position is not None else self._grid.file(section)
            for section, position in zip(FOLDERS, block.file_positions, strict=True)
        )
        named = dict(zip(FOLDERS, files, strict=True))
        return {section: named.get(section) for section in self._grid.sections}

    def _make(self, block: Block, files: Mapping[str, str | None]) -> Frame:
        chosen = {section: self._base(section, file) for section, file in files.items()}
        unsound = frozenset(section for section, _ in self._unsound & set(chosen.items()))
        config = {
            "schema_version": SCHEMA_VERSION,
            **{key: self._grid.scalar(key, default) for key, default in SCALARS.items()},
            "world_size": 1,
            **{section: self.bases[section][index] for section, index in chosen.items()},
        }
        faults = len(self.faults)
        targets = tuple(self._targets(block, config, unsound))
        asked = (
            (position, path.removeprefix(RESOURCES))
            for position, path in enumerate(block.paths)
            if path.startswith(RESOURCES)
        )
        return Frame(
            sweep=self._grid.name,
            paths=block.paths,
            labels=tuple(self._labels[path] for path in block.paths),
            config=config,
            base=chosen,
            targets=targets,
            asked=tuple(asked),
            unsound=unsound,
            is_whole=not unsound and not self._lost and len(self.faults) == faults,
        )

    def _base(self, section: str, file: str | None) -> int:
        """Number of a section's content among `bases`; null stands for one that is wrong."""
        token = (section, file)
        if token not in self._loaded:
            self._loaded[token] = number = len(self.bases[section])
            document, content = None, None
            try:
                if file is None and ("base", section) in self._grid.wrong:
                    self._unsound.add((section, number))
                else:
                    document = self._load(section, file)
                    content = self._absent(section) if document is None else document.data
                    content = self._with_fixed(section, content)
            except ConfigError as error:
                self.faults += error.faults
                self._unsound.add((section, number))
            self.bases[section].append(content)
            self._documents[section].append(document)
        return self._loaded[token]

    def document(self, frame: Frame, section: str) -> Document | None:
        """The base file of a section; None for a section that no file stands for."""
        documents, index = self._documents.get(section), frame.base.get(section)
        return None if documents is None or index is None else documents[index]

    def _load(self, section: str, file: str | None) -> Document | None:
        if file is None:
            return None
        path = find_file(file, section, self._grid.folder)
        if isinstance(path, Fault):
            fault = self._grid.locate(path, section)
            # A command line names the file by an option of its own.
            raise ConfigError([fault if fault.line is None else replace(fault, key=section)])
        if path.is_dir():
            fault = Fault("this is a folder", key=section, found=file, expected="a YAML file")
            raise ConfigError([self._grid.locate(fault, section)])
        document = load_document(path)
        faults = section_faults(section, document)
        if faults:
            self.apart[section, document.name] = document
            raise ConfigError(faults)
        return document

    def _absent(self, section: str) -> Any:
        if section == RUN:
            script = self._grid.document.data[RUN]
            # An axis may give the only params that there are.
            return {**script, "params": script.get("params") or {}}
        if section == "trainer":
            return NO_TRAINER
        if section in ("data_train", "data_val"):
            return None
        expected = f"`base: {{{section}: FILE}}`"
        fault = Fault(f"no file for {section}", key="base", expected=expected)
        raise ConfigError([self._grid.locate(fault, section)])

    def _with_fixed(self, section: str, content: Any) -> Any:
        """The content with the overrides that hold for every point, general ones first."""
        config = {section: content}
        paths = [path for path in self._grid.fixed if path.startswith(f"{section}.")]
        for path in sorted(paths, key=lambda path: path.count(".")):
            keys = self._resolve(config, path)
            if keys is None:
                self._lost.add(path)
            else:
                config = with_value(config, keys, self._grid.fixed[path])
        return config[section]

    def _targets(
        self, block: Block, config: Mapping[str, Any], unsound: Collection[str]
    ) -> Iterator[tuple[int, Keys]]:
        taken = {} if block.explicit else self.fixed_keys(config, unsound)
        for position, path in enumerate(block.paths):
            if path in FOLDERS or path.startswith(RESOURCES) or _section(path) in unsound:
                continue
            keys = self._resolve(config, path)
            if keys is None:
                continue
            other = next((name for name, there in taken.items() if overlap(keys, there)), None)
            if other is not None:
                fault = Fault(f"changes the same place as {other}", key=path)
                self.faults.append(self._grid.locate(fault, path))
            taken[path] = keys
            yield position, keys

    def fixed_keys(self, config: Mapping[str, Any], unsound: Collection[str]) -> dict[str, Keys]:
        """Where in a frame's config the overrides lie that hold for every point."""
        sections = {*self._grid.sections} - {*unsound}
        fixed = (path for path in self._grid.fixed if path not in self._lost)
        paths = [path for path in fixed if "." in path and _section(path) in sections]
        return {path: resolve(config, path) for path in paths}

    def lost_sections(self, frame: Frame) -> set[str]:
        """Sections in which an override or an axis has no place; their files are `apart`."""
        found = {position for position, _ in frame.targets}
        axes = {path for at, path in enumerate(frame.paths) if at not in found and "." in path}
        lost = {_section(path) for path in axes | self._lost}
        for section in lost:
            document = self.document(frame, section)
            if document is not None:
                self.apart[section, document.name] = document
        return lost

    def _resolve(self, config: Mapping[str, Any], path: str) -> Keys | None:
        try:
            return resolve(config, path)
        except ConfigError as error:
            self.faults += [self._grid.locate(fault, path) for fault in error.faults]
            return None


def _section(path: str) -> str:
    return path.partition(".")[0]
