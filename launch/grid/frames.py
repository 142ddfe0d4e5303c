"""Base files and fixed overrides put together, and where each axis sets its values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from launch.grid.bases import FOLDERS, find_file
from launch.grid.blocks import Block
from launch.grid.file import RESOURCES, GridFile
from launch.grid.points import Frame
from pcm.config.by_object import ByObject
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
    """Loads every base file once, and makes the frames that a grid's points need."""

    def __init__(self, grid: GridFile, labels: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self.bases: dict[str, list[Any]] = {section: [] for section in grid.sections}
        self._documents: dict[str, list[Document | None]] = {name: [] for name in grid.sections}
        self._grid = grid
        self._labels = labels
        self._loaded: dict[tuple[str, str | None], int | None] = {}
        # All are kept: what is wrong with one is told where it is made, and only once.
        self._frames: ByObject[Frame | None] = ByObject(most=None)

    def frame(self, block: Block, values: Sequence[Any]) -> Frame | None:
        """The frame of one row of `block`; None where it can't be made, see `faults`."""
        files = tuple(
            values[position] if position is not None else self._grid.file(section)
            for section, position in zip(FOLDERS, block.file_positions, strict=True)
        )
        token = (id(block), files)
        known = self._frames.get(token)
        if known is not None:
            return known[0]
        named = dict(zip(FOLDERS, files, strict=True))
        chosen = {section: named.get(section) for section in self._grid.sections}
        frame = self._make(block, chosen)
        return self._frames.keep(token, frame, block)

    def _make(self, block: Block, files: Mapping[str, str | None]) -> Frame | None:
        base = {section: self._base(section, file) for section, file in files.items()}
        chosen = {section: index for section, index in base.items() if index is not None}
        if len(chosen) < len(base):
            return None
        config = {
            "schema_version": SCHEMA_VERSION,
            **{key: self._grid.scalar(key, default) for key, default in SCALARS.items()},
            "world_size": 1,
            **{section: self.bases[section][index] for section, index in chosen.items()},
        }
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
            targets=tuple(self._targets(block, config)),
            asked=tuple(asked),
        )

    def _base(self, section: str, file: str | None) -> int | None:
        """Number of a section's content among `bases`; None where there is none to be had."""
        token = (section, file)
        if token not in self._loaded:
            try:
                document = self._load(section, file)
                content = self._absent(section) if document is None else document.data
                self.bases[section].append(self._with_fixed(section, content))
                self._documents[section].append(document)
                self._loaded[token] = len(self.bases[section]) - 1
            except ConfigError as error:
                self.faults += error.faults
                self._loaded[token] = None
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
            raise ConfigError([self._grid.locate(path, section)])
        document = load_document(path)
        faults = section_faults(section, document)
        if faults:
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
        faults: list[Fault] = []
        paths = [path for path in self._grid.fixed if path.startswith(f"{section}.")]
        for path in sorted(paths, key=lambda path: path.count(".")):
            keys = self._resolve(config, path, faults)
            if keys is not None:
                config = with_value(config, keys, self._grid.fixed[path])
        if faults:
            raise ConfigError(faults)
        return config[section]

    def _targets(self, block: Block, config: Mapping[str, Any]) -> Iterator[tuple[int, Keys]]:
        taken = {} if block.explicit else self.fixed_keys(config)
        for position, path in enumerate(block.paths):
            if path in FOLDERS or path.startswith(RESOURCES):
                continue
            keys = self._resolve(config, path, self.faults)
            if keys is None:
                continue
            other = next((name for name, there in taken.items() if overlap(keys, there)), None)
            if other is not None:
                fault = Fault(f"changes the same place as {other}", key=path)
                self.faults.append(self._grid.locate(fault, path))
            taken[path] = keys
            yield position, keys

    def fixed_keys(self, config: Mapping[str, Any]) -> dict[str, Keys]:
        """Where in a frame's config the overrides lie that hold for every point."""
        paths = [
            path
            for path in self._grid.fixed
            if path.split(".")[0] in self._grid.sections and "." in path
        ]
        return {path: resolve(config, path) for path in paths}

    def _resolve(self, config: Mapping[str, Any], path: str, faults: list[Fault]) -> Keys | None:
        try:
            return resolve(config, path)
        except ConfigError as error:
            faults += [self._grid.locate(fault, path) for fault in error.faults]
            return None
