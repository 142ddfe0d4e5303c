"""Apptainer images of the training side: what they are made of, building, looking, verifying."""
