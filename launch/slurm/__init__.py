"""Slurm: arrays of experiments, handed over once each, whatever goes wrong meanwhile."""
