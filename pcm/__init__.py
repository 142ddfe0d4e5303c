"""pcm: from one YAML grid to many PyTorch Lightning runs that never lose work."""

__version__ = "0.2.0"
