"""A trained model, for whoever wants to look at it or use it."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule

from pcm.config.document import load_document
from pcm.config.structures.run_command import names_script
from pcm.errors import PcmError
from pcm.run_dir import RunDir
from pcm.run_dir.shards import count_states, shards_folder
from pcm.training.building.build import build_model
from pcm.training.checkpoints.loading_plain import load_plain


def load_model(run_dir: RunDir, checkpoint: Path) -> LightningModule:
    """The experiment's model with a checkpoint's weights: on the CPU, for evaluation.

    Raises:
        PcmError: the experiment is a script, whose checkpoints it alone can read; or the model
            can't be had but in shards.
        ConfigError: the model's class cannot be had here.
        RuntimeError: the class has other weights by now; from torch, which names them.
    """
    config = load_document(run_dir.config).data
    if names_script(config):
        raise PcmError(
            f"{run_dir.path.name} is a script: what its checkpoints hold is its own affair",
            "checkpoint() tells where they are",
        )
    model, weights = build_model(config["model"]), _weights(checkpoint)
    if shards_folder(checkpoint).exists():
        _configure_whole(model, weights)
    else:
        # Some make their layers here, which training calls as well.
        model.configure_model()
    kinds = {each.dtype for each in weights.values() if each.is_floating_point()}
    if len(kinds) == 1:
        # Those of double precision would be rounded.
        model.to(kinds.pop())
    model.load_state_dict(weights)
    return model.eval()


def _weights(checkpoint: Path) -> dict[str, Any]:
    """A model's weights, each as a whole."""
    folder = shards_folder(checkpoint)
    if count_states(folder):
        return _put_together(folder)
    if folder.exists():
        # torch's distributed checkpoints take a while to import.
        from pcm.training.checkpoints.sharding import WEIGHTS, read_whole

        return read_whole(folder, WEIGHTS)
    weights: dict[str, Any] = load_plain(checkpoint)["state_dict"]
    return weights


def _put_together(folder: Path) -> dict[str, Any]:
    """The weights of DeepSpeed's states.

    Raises:
        PcmError: DeepSpeed, which knows how, is not installed here.
    """
    try:
        from pcm.training.checkpoints.deepspeed_states import read_whole
    except ImportError as error:
        raise PcmError(
            f"{folder} was written by DeepSpeed, which it takes to put a model together: {error}",
            "pip install 'pcm-launch[deepspeed]'",
        ) from error
    return read_whole(folder)


def _configure_whole(model: LightningModule, weights: dict[str, Any]) -> None:
    """Have a model make its layers, unless it has them; nothing shards them here.

    Raises:
        PcmError: it can't without a mesh of devices.
    """
    if model.state_dict().keys() == weights.keys():
        return
    try:
        model.configure_model()
    except (AttributeError, TypeError) as error:
        raise PcmError(
            f"configure_model() of {type(model).__name__} needs a mesh of devices: {error}",
            "have it return after its layers are made where `self.device_mesh is None`",
        ) from error
