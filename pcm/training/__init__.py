"""One rank of one experiment: build, train, stop, checkpoint, resume.

Importing this package imports no torch, so that signals and stop requests are handled
before the seconds that torch takes.
"""
