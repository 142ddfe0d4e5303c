"""A grid file: base files, axes that vary, and what the points run on.

Paths, axes and resources are looked at by whoever expands the grid.
"""

from collections.abc import Mapping
from typing import Any

from pcm.config.shapes import COUNT, Choice, MapOf, Number, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Namespace
from pcm.config.structures.checkpoint_policy import CHECKPOINTS
from pcm.config.structures.container import CONTAINER
from pcm.config.structures.notify import NOTIFY
from pcm.config.structures.preload import PRELOAD
from pcm.config.structures.run_command import RUN, SCRIPT, names_script
from pcm.config.structures.tracker_list import TRACKER

SEED = Number(int, low=0, high=2**32 - 1)
"""What Lightning's `seed_everything` takes."""

_OVERRIDES = MapOf(Namespace)

SBATCH = MapOf((None, int | str, bool))
"""Options of sbatch by their long names, `-` or `_` in them: `licenses: matlab`, `hold: true`."""

PACK = Record({"per_job": COUNT}, dict.fromkeys(("per_gpu", "sets"), (None, COUNT)))
"""Experiments of one allocation, of which `per_gpu` share each of its sets of GPUs or cores."""

RESOURCES = Record(
    optional={
        **dict.fromkeys(("partition", "account", "qos", "constraint", "gpu_type"), (None, str)),
        **dict.fromkeys(("nodes", "tasks_per_node"), (None, COUNT)),
        "gpus_per_node": (None, Number(int, low=0)),
        **dict.fromkeys(("cpus_per_gpu", "cpus_per_task"), (None, COUNT)),
        **dict.fromkeys(("mem_per_gpu", "mem", "time"), (None, int | str)),
        **dict.fromkeys(("reservation", "begin", "mail_user"), (None, str)),
        **dict.fromkeys(("nodelist", "exclude", "mail_type"), (None, str, [str])),
        "exclusive": (None, bool, OneOf(("user", "mcs"), "way to share a node")),
        "sbatch": (None, SBATCH),
        **dict.fromkeys(("max_parallel", "max_gpus"), (None, COUNT)),
        "pack": (None, PACK),
        "retries": (None, Number(int, low=0)),
        "retry": (
            None,
            Record(
                optional={
                    "oom": (
                        None,
                        Record(
                            optional={
                                "mem_factor": (None, int | float),
                                "max": (None, Number(int, low=0)),
                            }
                        ),
                    ),
                    "node_fail": (None, Record(optional={"max": (None, Number(int, low=0))})),
                }
            ),
        ),
    }
)
"""What one experiment asks for: `time: "12:00:00"`, `mem: 32G`."""

_OF_ANY_GRID: Mapping[str, ConfigStructure] = {
    "name": str,
    "tags": (None, [str]),
    "seed": SEED,
    "set": (None, _OVERRIDES),
    "grid": (None, _OVERRIDES),
    "zip": (None, [_OVERRIDES]),
    "random": (None, Record({"n": int, "axes": _OVERRIDES}, {"seed": (None, int)})),
    "exclude": (None, [_OVERRIDES]),
    "include": (None, [_OVERRIDES]),
    "resources": (None, RESOURCES),
    "container": (None, CONTAINER),
    "checkpoints": (None, CHECKPOINTS),
    "tracker": (None, TRACKER),
    "notify": (None, NOTIFY),
    "preload": (None, PRELOAD),
    "version": (None, int | str),
}

_GRID_OF_FILES = Record(
    {
        "base": Record(
            {"model": str, "data_train": (None, str)},
            {"data_val": (None, str), "trainer": (None, str)},
        )
    },
    {
        **_OF_ANY_GRID,
        "subsample_size": (None, COUNT),
        "starts_from": (None, {"checkpoint": str}),
    },
)

_GRID_OF_SCRIPT = Record({RUN: SCRIPT}, _OF_ANY_GRID)


def _names_both(data: Any) -> bool:
    return names_script(data) and "base" in data


def _refuse_both(_grid: dict[str, Any]) -> list[Finding]:
    expected = "`base`, for a model that pcm trains, or `run`, for a script of your own"
    hint = "take one of them out; two grid files may share a sweep's tags"
    return [
        Finding(
            (RUN,), "a grid has either `base` or `run`, and this has both", None, expected, hint
        )
    ]


GRID: ConfigStructure = Choice(
    _names_both, Rule(dict, _refuse_both), Choice(names_script, _GRID_OF_SCRIPT, _GRID_OF_FILES)
)
