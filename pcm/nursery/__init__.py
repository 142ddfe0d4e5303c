"""Forking trainings from a process that has loaded what they need; see docs/start-up.md."""
