"""Writing a launch down, whole or not at all, before anything is submitted."""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.store.checkout import CodeVersion, code_version
from launch.store.installed import code_digest
from launch.store.layout import LaunchDir, RunsRoot
from launch.store.leftovers import remove_leftovers
from launch.store.snapshot import copy_checkout
from launch.store.write_errors import writing
from pcm import __version__
from pcm.run_dir import (
    SCHEMA_VERSION,
    atomic_writer,
    fsync_folder,
    write_json,
    write_text,
)
from pcm.run_dir.trust import make_folder, make_shared_folder
from pcm.secret_values import scrub

if TYPE_CHECKING:
    from launch.grid import Grid, Point


def freeze(
    grid: "Grid",
    root: Path,
    *,
    code_folder: Path | None = None,
    details: Mapping[str, Any] | None = None,
) -> LaunchDir:
    """Write a grid's points and what they share; durable on return.

    Args:
        code_folder: the checkout whose version is noted; the working directory's if None.
        details: what else the launch wants to remember, e.g. site and executor.

    Raises:
        RefusedError: the runs root can't be written, or the checkout can't be read.
    """
    now = datetime.now(UTC)
    folder = RunsRoot(root).sweeps / grid.name
    # Ids sort by time; the random end keeps two launches of one microsecond apart.
    launch = LaunchDir(folder / f"{now:%Y%m%d-%H%M%S-%f}-{os.urandom(2).hex()}")
    code = code_version(grid.checkout or code_folder or Path.cwd())
    record = {**(details or {}), **_sweep_record(grid, now, code)}
    with writing(root):
        for shared in (root, folder.parent, folder):
            make_shared_folder(shared)
        remove_leftovers(RunsRoot(root), [grid.name])
        aside = LaunchDir(folder / f".{launch.id}.tmp")
        try:
            _write(aside, grid, record, code)
            aside.path.rename(launch.path)
        except BaseException:
            shutil.rmtree(aside.path, ignore_errors=True)
            raise
        fsync_folder(folder)
    return launch


def _write(
    aside: LaunchDir, grid: "Grid", record: Mapping[str, Any], code: CodeVersion | None
) -> None:
    make_folder(aside.path)
    write_json(aside.sweep, record)
    write_json(aside.base, grid.bases)
    with atomic_writer(aside.points) as stream:
        for point in grid.points:
            stream.write(json.dumps(_point_record(point)).encode() + b"\n")
    if code is not None and code.dirty:
        write_text(aside.code_diff, scrub(code.diff))
    if grid.checkout is not None:
        copy_checkout(grid.checkout, aside.snapshot)


def _sweep_record(grid: "Grid", now: datetime, code: CodeVersion | None) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": grid.name,
        "created": now.isoformat(),
        "grid": {"file": grid.file, "text": grid.text, "flags": dict(grid.flags)},
        "points": len(grid.points),
        "tags": list(grid.tags),
        "tracker": grid.tracker,
        "container": grid.image,
        "starts_from": grid.starts_from,
        "checkpoints": dict(grid.checkpoints),
        "notify": list(grid.notify),
        "preload": list(grid.preload),
        "pcm_version": __version__,
        "code": None if code is None else {"commit": code.commit, "dirty": code.dirty},
        "ships_code": grid.checkout is not None,
        "folder": str(Path.cwd()),
        "folder_in_code": _folder_in_code(grid),
        "code_digest": code_digest(),
    }


def _folder_in_code(grid: "Grid") -> str | None:
    """Where in the checkout that is shipped the launch was typed."""
    if grid.checkout is None:
        return None
    here, top = Path.cwd().resolve(), grid.checkout.resolve()
    return str(here.relative_to(top)) if here.is_relative_to(top) else None


def _point_record(point: "Point") -> dict[str, Any]:
    """One line of `points.jsonl`; `id` comes first, see `LaunchDir.point_record`."""
    return {
        "id": point.id,
        "name": point.name,
        "identity": point.identity,
        "seed": point.seed,
        "subsample_size": point.subsample_size,
        "world_size": point.world_size,
        "overrides": point.overrides,
        "base": point.base,
        "changes": point.changes,
        "resources": point.resources.given(),
    }
