"""Worker processes of a loader that lives on from pass to pass."""

from typing import Any

from torch.utils.data import DataLoader


def forget_workers(loader: DataLoader[Any]) -> None:
    """Have the next pass start other workers, though they were to be persistent.

    They would draw on from what the pass before has left in them, which a resume can't bring back.
    """
    loader._iterator = None
