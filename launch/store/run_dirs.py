"""A run directory, complete in itself, from one line of a frozen launch."""

import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from launch.damage import DamagedError, required
from launch.store.host_records import read_bases
from launch.store.layout import LaunchDir, RunsRoot
from launch.store.script_folder import freeze_script
from launch.store.spreading import make_part
from launch.store.write_errors import writing
from pcm.config.override import with_value
from pcm.errors import ConfigError, NotFoundError, RefusedError
from pcm.run_dir import SCHEMA_VERSION, RunDir, fsync_folder, write_json, write_text
from pcm.run_dir.checkpointing import Checkpointing, freeze_checkpointing
from pcm.run_dir.records import ExperimentRecord
from pcm.run_dir.trust import make_folder
from pcm.run_dir.typed_json import Damaged, read


def create_run_dir(launch_dir: Path, experiment_id: str) -> RunDir:
    """The run directory of an experiment, made now unless it is there already.

    Safe against other processes doing the same: a finished folder is renamed into place,
    and the first one stays.

    Raises:
        NotFoundError: the launch has no such experiment.
        RefusedError: it can't be written, or another experiment has this id.
    """
    launch = LaunchDir(launch_dir)
    record = launch.point_record(experiment_id)
    if record is None:
        raise NotFoundError(f"no experiment {experiment_id} in {launch_dir}")
    run_dir = RunsRoot(launch.root).run_dir(experiment_id)
    if not run_dir.path.exists():
        with writing(launch.root):
            _create(run_dir, launch, record)
    _check_identity(run_dir, record)
    config = frozen_config(launch, record)
    with writing(launch.root):
        freeze_checkpointing(run_dir, _checkpointing(launch, config))
        freeze_script(run_dir, launch, config)
    return run_dir


def frozen_config(launch: LaunchDir, record: Mapping[str, Any]) -> dict[str, Any]:
    """The full config of a line of `points.jsonl`.

    Raises:
        DamagedError: the line or what it builds upon doesn't hold one.
    """
    bases = required(read_bases(launch.base), launch.base)
    try:
        return _built(bases, record)
    except (LookupError, TypeError, ValueError, ConfigError) as error:
        reason = f"it and {launch.base.name} hold no config of {record['id']}: {error!r}"
        raise DamagedError(Damaged(launch.points, reason)) from None


def _built(bases: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "seed": record["seed"],
        "subsample_size": record.get("subsample_size"),
        "world_size": record["world_size"],
        **{section: bases[section][index] for section, index in record["base"].items()},
    }
    for keys, value in record["changes"]:
        config = with_value(config, tuple(keys), value)
    return config


def _create(run_dir: RunDir, launch: LaunchDir, record: Mapping[str, Any]) -> None:
    # Most commands only look at run directories, and these take long to import.
    from launch.store.yaml_text import dump_yaml
    from pcm.config.structures.run_command import RUN, names_script

    folder = run_dir.path.parent
    make_part(folder)
    aside = RunDir(folder / f".{run_dir.path.name}.{uuid.uuid4().hex[:8]}.tmp")
    make_folder(aside.path)
    try:
        config = frozen_config(launch, record)
        write_text(aside.config, dump_yaml(config))
        if names_script(config):
            params = config[RUN].get("params") or {}
            write_json(aside.params, params)
            write_text(aside.params.with_suffix(".yaml"), dump_yaml(params))
        write_json(aside.experiment, _experiment_record(launch, record))
        aside.path.rename(run_dir.path)
    except OSError:
        # Another process was faster, or the disk is full; only the second is an error.
        if not run_dir.experiment.exists():
            raise
    finally:
        shutil.rmtree(aside.path, ignore_errors=True)
    fsync_folder(folder)


def _checkpointing(launch: LaunchDir, config: Mapping[str, Any]) -> Checkpointing:
    """What this launch wants of checkpoints; an earlier one may have wanted something else."""
    trainer = config.get("trainer") or {}
    return Checkpointing.of(
        grid=launch.record.get("checkpoints") or {}, trainer=trainer.get("checkpoints") or {}
    )


def _experiment_record(launch: LaunchDir, record: Mapping[str, Any]) -> dict[str, Any]:
    shared = launch.record
    return {
        "schema_version": SCHEMA_VERSION,
        "id": record["id"],
        "name": record["name"],
        "sweep": launch.sweep_name,
        "launch": launch.id,
        "identity": record["identity"],
        "tags": shared["tags"],
        "tracker": shared.get("tracker"),
        "overrides": record["overrides"],
        "world_size": record["world_size"],
        "created": datetime.now(UTC).isoformat(),
        "pcm_version": shared.get("pcm_version"),
        "code": shared.get("code"),
        "starts_from": shared.get("starts_from"),
        "image": _image(shared.get("container")),
    }


def _check_identity(run_dir: RunDir, record: Mapping[str, Any]) -> None:
    """Ten digits may mean two experiments, once in a very long while."""
    there = read(ExperimentRecord, run_dir.experiment)
    if isinstance(there, Damaged):
        raise DamagedError(there)
    if there is None or there.identity != record["identity"]:
        raise RefusedError(
            f"{run_dir.path} holds something else than experiment {record['name']}",
            hint="move that folder away, or launch into another one with --runs-dir",
        )


def _image(container: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Which image it was first started in."""
    if container is None:
        return None
    return {"path": container.get("image"), "sha256": container.get("sha256")}
