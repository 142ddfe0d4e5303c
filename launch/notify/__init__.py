"""A word at the end: one message a sweep at its first failure, and one when all has ended."""
