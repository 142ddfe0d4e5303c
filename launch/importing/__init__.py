"""Sweeps that were written for other tools, as grids of scripts and models."""
