"""What every rank's process has, whatever trains in it: its task, its stop, its progress."""
