"""Which file a manifest may speak for."""

from pathlib import Path


def own_checkpoint(manifest: Path) -> str:
    """Name of the one file that a manifest tells of: `X.ckpt.json` of `X.ckpt` beside it.

    What it says itself is no path to follow: who removes or loads a checkpoint goes by it.
    """
    return manifest.name.removesuffix(".json")
