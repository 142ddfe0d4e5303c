"""Conditional MNIST: digits, the conditions they are transformed under, finished batches."""

from pcm.data.batches import BatchLoader
from pcm.data.datamodule import ConditionalMNIST

__all__ = ["BatchLoader", "ConditionalMNIST"]
