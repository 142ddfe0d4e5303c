"""How long training waits for batches, of all the time that it has had."""

import time
from typing import Any

from pcm.run_dir.records import DataRecord
from pcm.run_dir.typed_json import plain


class DataWait:
    """One rank's clock: from asking its loaders for a batch to having it.

    It costs 2 us a batch, where a step takes 500 at the least.

    Another thread may ask for the record at any moment.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._asked: float | None = None
        self._waited = 0.0
        self._ended: float | None = None

    def begin(self) -> None:
        """A batch is asked for."""
        self._asked = time.perf_counter()
        if self._began is None:
            self._began = self._asked

    def end(self) -> None:
        """It is there, or there is none left."""
        if self._asked is not None:
            self._waited += time.perf_counter() - self._asked
            self._asked = None

    def close(self) -> None:
        """Training is over: what comes now is no time in which it could have waited."""
        self.end()
        self._ended = time.perf_counter()

    def seconds(self) -> tuple[float | None, float | None]:
        """Waited, and had, so far; None before the first batch is asked for."""
        began, asked = self._began, self._asked
        if began is None:
            return None, None
        now = self._ended or time.perf_counter()
        waiting = 0.0 if asked is None else now - asked
        return round(self._waited + waiting, 3), round(now - began, 3)

    def record(self) -> dict[str, Any]:
        """The content of `data-R.json`."""
        waited, had = self.seconds()
        return plain(DataRecord(waited_for_data_s=waited, training_s=had))
