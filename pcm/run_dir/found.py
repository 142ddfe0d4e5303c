"""`found.json`: what finders of the trainer file have found, with which every attempt trains."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """Values by the name of the module's or data module's attribute that holds each.

    Attributes:
        attempt: the one that looked; it found nothing where there are no values.
    """

    attempt: int
    learning_rate: dict[str, float] = field(default_factory=dict)
    batch_size: dict[str, int] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float | int]:
        """All that was found."""
        return {**self.learning_rate, **self.batch_size}

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())
