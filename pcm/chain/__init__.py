"""Models as chains of links: `Chain`, and what a link of one's own needs to know."""

from pcm.chain.chain import Chain
from pcm.chain.types import Batch, LinkOutput, StructuredLoss

__all__ = ["Batch", "Chain", "LinkOutput", "StructuredLoss"]
