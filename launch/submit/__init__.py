"""Handing experiments over: arrays to Slurm exactly once, jobs to this machine."""
