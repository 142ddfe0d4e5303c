"""This machine: its processes, signals and GPUs."""
