"""How far a script is: what it names, and nothing that it leaves out."""

from typing import Any

from pcm.rank.progress import Progress


class ScriptProgress(Progress):
    """As training's, but a script may have no epochs, and may never name a step.

    Attributes:
        named_step, named_epoch: the last that the script has named; None before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.named_step: int | None = None
        self.named_epoch: int | None = None
        self.count_steps = lambda: self.named_step or 0

    def record(self) -> dict[str, Any]:
        """As `Progress.record`, with null for what was never named."""
        return {**super().record(), "step": self.named_step, "epoch": self.named_epoch}
