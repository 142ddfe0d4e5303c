"""Shared libraries without what only a GPU would run: half of a CUDA build of torch."""

import shutil
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

GPU_CODE = {b".nv_fatbin", b"__nv_relfatbin", b".ldata", b".cask_resource"}
"""Sections that a machine without GPUs maps into memory and never reads."""


def hollow_out(library: Path) -> None:
    """Put a copy in the library's place that has holes where the code for GPUs is.

    The file stays what it is under other names of it.
    """
    content = memoryview(library.read_bytes())
    holes = [place for name, place in _sections(content) if name in GPU_CODE]
    if not holes:
        return
    aside = library.with_name(f".{library.name}.new")
    with aside.open("wb") as file:
        file.truncate(len(content))
        ends = [slice(0, 0), *sorted(holes, key=lambda hole: hole.start), slice(len(content), 0)]
        for before, after in pairwise(ends):
            file.seek(before.stop)
            file.write(content[before.stop : after.start])
    shutil.copystat(library, aside)
    aside.replace(library)


def _sections(content: memoryview) -> Iterator[tuple[bytes, slice]]:
    """Names and places of an ELF file's sections; little-endian, 64 bits."""
    (table,) = struct.unpack_from("<Q", content, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", content, 0x3A)
    entries = [
        struct.unpack_from("<I20xQQ", content, table + index * entry_size) for index in range(count)
    ]
    _, names_start, names_size = entries[names_index]
    names = bytes(content[names_start : names_start + names_size])
    for name, start, size in entries:
        yield names[name:].partition(b"\0")[0], slice(start, start + size)
