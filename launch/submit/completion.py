"""What became of experiments that somebody waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from launch.status.state import Status


@dataclass(frozen=True, slots=True)
class Completion:
    """How it ended.

    Attributes:
        statuses: of every experiment, by its id.
        is_interrupted: whether a signal ended the waiting before its time.
        refused: what somebody else was faster with, and who, by the experiment's id.
    """

    statuses: Mapping[str, Status]
    is_interrupted: bool
    refused: Mapping[str, str] = field(default_factory=dict)
