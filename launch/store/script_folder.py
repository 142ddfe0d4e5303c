"""Where the command of a script runs."""

from collections.abc import Mapping
from typing import Any

from launch.store.layout import LaunchDir
from pcm.run_dir import RunDir
from pcm.run_dir.records import ScriptRecord
from pcm.run_dir.typed_json import read, write


def freeze_script(run_dir: RunDir, launch: LaunchDir, config: Mapping[str, Any]) -> None:
    """Write down where the newest launch runs its script; nothing for what is none.

    The folder is no part of the identity, so that another launch may run it elsewhere.
    """
    # Most commands only look at run directories, and structures take long to import.
    from pcm.config.structures.run_command import names_script

    if not names_script(config):
        return
    wanted = _script_record(launch)
    if read(ScriptRecord, run_dir.script) != wanted:
        write(run_dir.script, wanted)


def _script_record(launch: LaunchDir) -> ScriptRecord:
    if launch.ships_code:
        inside = launch.record.get("folder_in_code") or "."
        return ScriptRecord(str(launch.snapshot / inside), str(launch.snapshot), is_writable=False)
    folder = str(launch.record.get("folder") or ".")
    return ScriptRecord(folder, folder)
