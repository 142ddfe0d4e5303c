"""How what is asked for besides a file is spelt by whoever asks, for messages to them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of the command line, or of a Python program.

    Attributes:
        call: what stands for the grid file where there is none.
        overrides: values by path.
        resource: an entry of `resources`, by its name.
        tracker: how a tracker is named, `{}` in the place of its name.
        project, checkpoint, checkpoint_of: the keywords of `launch.api.train`.
    """

    call: str
    overrides: str
    resource: Callable[[str], str]
    tracker: str
    project: str
    checkpoint: str
    checkpoint_of: str


def _option_of(name: str) -> str:
    """Those of sbatch follow a `--`."""
    return "--" if name == "sbatch" else f"--{name.replace('_', '-')}"


OPTIONS = Spelling(
    call="command line",
    overrides="--set",
    resource=_option_of,
    tracker="--tracker {}",
    project="--project-name",
    checkpoint="--checkpoint-name",
    checkpoint_of="--checkpoint-experiment-id ID",
)
"""Of the command line."""

KEYWORDS = Spelling(
    call="train",
    overrides="overrides",
    resource="resources[{!r}]".format,
    tracker="tracker={!r}",
    project="project",
    checkpoint="checkpoint",
    checkpoint_of="checkpoint_of",
)
"""Of Python."""
