"""How what a person should know leaves code that prints nothing itself."""

from collections.abc import Callable

Tell = Callable[[str], None]
"""Called with one thing that a person who waits wants to know."""


def say_nothing(_text: str) -> None:
    """For callers whom nothing but the result concerns."""
