"""Hypothesis without deadlines: a busy machine is no fault."""

from hypothesis import settings

settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")
