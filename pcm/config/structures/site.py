"""A site file: what is particular to one cluster."""

from pcm.config.shapes import COUNT, OneOf, Record
from pcm.config.structure import ConfigStructure
from pcm.config.structures.container import CONTAINER
from pcm.config.structures.grid import RESOURCES, SBATCH

SITE: ConfigStructure = Record(
    optional={
        "name": (None, str),
        "defaults": (None, RESOURCES),
        "gpu_flag": (None, OneOf(("gres", "gpus-per-node"), "GPU flag")),
        "memory": (
            None,
            OneOf(("per-node", "per-cpu", "per-gpu", "none"), "way to ask for memory"),
        ),
        "modules": (None, [str]),
        "setup": (None, [str]),
        "binds": (None, [str]),
        "container": (None, CONTAINER),
        "image_folder": (None, str),
        "mount": (None, OneOf(("auto", "fuse", "unsquash", "sandbox"), "way to mount")),
        "max_array_size": (None, COUNT),
        "accounting": (None, bool),
        "sbatch": (None, SBATCH),
    }
)
