"""Checkpoints while training runs: when, how they are written, and how they are read."""
