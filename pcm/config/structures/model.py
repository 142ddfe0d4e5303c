"""A model file: a chain of links, what trains them, and the commands that run them."""

from pcm.config.shapes import COUNT, Meaning
from pcm.config.structure import ConfigStructure
from pcm.config.structures.links import LINK
from pcm.config.structures.losses import LOSS_MANAGER
from pcm.config.structures.optimizers import OPTIMIZER
from pcm.config.structures.wiring import check_wiring

TRAINING: ConfigStructure = {
    "batch_size": COUNT,
    "max_epochs": COUNT,
    "check_val_every_n_epoch": (None, COUNT),
}

COMMAND: ConfigStructure = {
    "command_name": str,
    "processing_steps": [{"link": str, "method": str, "kwargs": dict}],
}

MODEL: ConfigStructure = Meaning(
    {
        "chain": [LINK],
        "optimizers": [OPTIMIZER],
        "training": TRAINING,
        "loss_manager": LOSS_MANAGER,
        "commands": [COMMAND],
    },
    check_wiring,
)
