"""Pictures, as training sees them: arrays that are kept, and a process that draws them."""

import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from pcm.companion import Companion
from pcm.console import tell
from pcm.plots.failures import failing
from pcm.plots.waiting import MOST, PlotData, keep, waiting_in
from pcm.run_dir import RunDir

_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    **{f"{library}_NUM_THREADS": "1" for library in ("MKL", "NUMBA", "NUMEXPR", "OMP", "OPENBLAS")},
}

_LATER = "training goes on, and the next attempt draws what is missing"
_TOO_MANY = "validations come faster than their pictures are drawn, so those of some are left out"


class DrawingProcess:
    """`python -m pcm.plots RUN_DIR --follow`, from the first pictures on.

    One that has died stays dead in this attempt: what killed it may do so again.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._companion: Companion | None = None
        # A flush to a file server takes tens of milliseconds, which training need not wait for.
        self._thread = ThreadPoolExecutor(1, "plots")
        self._in_flight: list[Future[None]] = []
        if waiting_in(run_dir.undrawn):
            self._start()

    def draw(self, plots: PlotData) -> None:
        """Begin to keep the arrays, to be drawn when the process gets to them."""
        if self._companion is None:
            self._start()
        else:
            self._companion.check()
        self._in_flight = [each for each in self._in_flight if not each.done()]
        # The arrays in flight are memory of training's.
        wait(self._in_flight[: 1 - MOST])
        self._in_flight.append(self._thread.submit(self._keep, plots))

    def sync(self) -> None:
        """Wait until all arrays are on the disk, or were told to have no room."""
        wait(self._in_flight)

    def end(self, grace: float, is_hurried: Callable[[], bool]) -> None:
        """Let it draw the rest, within `grace` seconds, and say what is left."""
        self._thread.shutdown()
        if self._companion is None:
            return
        self._companion.end(grace, is_hurried)
        left = waiting_in(self._run_dir.undrawn)
        if left:
            tell(
                f"warning: pictures are left to draw: {', '.join(path.stem for path in left[:3])}"
                f"{f' and {len(left) - 3} more' if len(left) > 3 else ''}\n"
                "  the next attempt draws them, or python -m pcm.plots RUN_DIR"
            )

    def _keep(self, plots: PlotData) -> None:
        with failing(plots.log_path):
            if keep(self._run_dir.undrawn, plots) > 0:
                warnings.warn(_TOO_MANY, stacklevel=2)

    def _start(self) -> None:
        what = "the pictures"
        self._companion = Companion("pcm.plots", self._run_dir, what, _LATER, _ENVIRONMENT)
