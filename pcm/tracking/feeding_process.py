"""The feeding process, as training sees it."""

from pcm.companion import Companion
from pcm.run_dir import RunDir

_LATER = "the metrics are in the run directory, and the next attempt sends what is missing"


class FeedingProcess(Companion):
    """`python -m pcm.tracking RUN_DIR --follow`: feeds the trackers until training has ended."""

    def __init__(self, run_dir: RunDir) -> None:
        super().__init__("pcm.tracking", run_dir, "the tracker", _LATER)
