"""A trained model, for whoever wants to look at it or use it."""

from pathlib import Path

from lightning.pytorch import LightningModule

from pcm.config.document import load_document
from pcm.config.structures.script import names_script
from pcm.errors import PcmError
from pcm.run_dir import RunDir
from pcm.training.build import build_model
from pcm.training.checkpoint_io import load_plain


def load_model(run_dir: RunDir, checkpoint: Path) -> LightningModule:
    """The experiment's model with a checkpoint's weights: on the CPU, for evaluation.

    Raises:
        PcmError: the experiment is a script, whose checkpoints it alone can read.
        ConfigError: the model's class cannot be had here.
        RuntimeError: the class has other weights by now; from torch, which names them.
    """
    config = load_document(run_dir.config).data
    if names_script(config):
        raise PcmError(
            f"{run_dir.path.name} is a script: what its checkpoints hold is its own affair",
            "checkpoint() tells where they are",
        )
    model, weights = build_model(config["model"]), load_plain(checkpoint)["state_dict"]
    # Some make their layers here, which training calls as well.
    model.configure_model()
    kinds = {each.dtype for each in weights.values() if each.is_floating_point()}
    if len(kinds) == 1:
        # Those of double precision would be rounded.
        model.to(kinds.pop())
    model.load_state_dict(weights)
    return model.eval()
