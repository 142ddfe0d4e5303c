"""TensorBoard: one event file an experiment, in `tensorboard/` inside the run directory.

Its own writer starts another file at every opening; this one goes on in the same, so that
an experiment of a hundred attempts stays one file and one curve.
"""

import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pcm.run_dir import RunDir, atomic_writer
from pcm.tracking.tracker import Point, missing_client

_EVENTS = "events.out.tfevents.1.pcm"
_FIELDS = "events.out.tfevents.0.fields"
"""Config and tags, written anew at every opening; comes first in order of names."""

_HEADER = struct.Struct("<QI")
"""Length of a record and its checksum; after the record comes another checksum."""

_CHECKSUM = 4


class TensorBoardTracker:
    """One experiment's event files.

    Args:
        run_dir: where they go.
        experiment: the experiment's record, for its name.
    """

    slot = "tensorboard"
    local = False

    def __init__(self, run_dir: RunDir, experiment: dict[str, Any]) -> None:
        self._folder = run_dir.path / "tensorboard"
        self._experiment = experiment
        self._fields: dict[str, Any] = {}
        self._stream: IO[bytes] | None = None
        self._writer: Any = None
        self._held: dict[str, int] | None = None
        self.found = False

    def open(self, runs: Sequence[str]) -> str:
        """Go on behind the last whole record of the file."""
        _require_tensorboard()
        from tensorboard.summary.writer.record_writer import RecordWriter

        path = self._folder / _EVENTS
        # One of the two was lost: what is there is asked for, series by series.
        self.found = path.exists() != bool(runs)
        self._folder.mkdir(exist_ok=True)
        self._held = None
        whole = sum(size for size, _ in read_records(path))
        self._stream = path.open("ab")
        self._stream.truncate(whole)
        self._writer = RecordWriter(self._stream)
        if whole == 0:
            self._write(self._writer, file_version="brain.Event:2")
        return _EVENTS

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """Everything known as a table of text, what varies as hyperparameters."""
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._fields |= fields
        with atomic_writer(self._folder / _FIELDS, durable=False) as stream:
            writer = RecordWriter(stream)
            self._write(writer, file_version="brain.Event:2")
            for summary in _field_summaries(self._fields, tags, str(self._experiment.get("id"))):
                self._write(writer, summary=summary)

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Append scalars, text or pictures."""
        for point in points:
            if not isinstance(point.value, Path) or point.value.exists():
                summary = _summary(key, point.value)
                self._write(self._writer, summary=summary, step=point.step, wall_time=point.time)

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """A group of charts of its own."""
        self.log(key, points)

    def flush(self) -> None:
        """Flush to the disk itself."""
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def last_step(self, key: str, otherwise: int) -> int:  # noqa: ARG002 - the file knows
        """What the file held at the first question after an opening."""
        if self._held is None:
            self.flush()
            self._held = _last_steps(self._folder / _EVENTS)
        return self._held.get(key, -1)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream = self._writer = None

    @staticmethod
    def _write(writer: Any, **event: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        writer.write(Event(**event).SerializeToString())


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """The whole records of an event file, with what each takes of it in bytes."""
    if not path.exists():
        return
    with path.open("rb") as stream:
        while len(header := stream.read(_HEADER.size)) == _HEADER.size:
            length = _HEADER.unpack(header)[0]
            record = stream.read(length + _CHECKSUM)
            if len(record) < length + _CHECKSUM:  # torn by a killed writer
                return
            yield _HEADER.size + length + _CHECKSUM, record[:length]


def _last_steps(path: Path) -> dict[str, int]:
    """Series -> its highest step; of all at once, since there may be thousands."""
    from tensorboard.compat.proto.event_pb2 import Event

    steps: dict[str, int] = {}
    for _, record in read_records(path):
        event = Event.FromString(record)
        for value in event.summary.value:
            steps[value.tag] = max(event.step, steps.get(value.tag, -1))
    return steps


def _summary(key: str, value: float | str | Path) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.text.summary_v2 import text_pb

    if isinstance(value, str):
        return text_pb(key, value)
    if isinstance(value, Path):
        picture = value.read_bytes()
        width, height = struct.unpack(">II", picture[16:24])  # where a PNG has them
        image = Summary.Image(
            width=width, height=height, colorspace=3, encoded_image_string=picture
        )
        return Summary(value=[Summary.Value(tag=key, image=image)])
    return Summary(value=[Summary.Value(tag=key, simple_value=value)])


def _field_summaries(
    fields: Mapping[str, str | int | float | bool], tags: Sequence[str], group: str
) -> Iterator[Any]:
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.text.summary_v2 import text_pb

    rows = "\n".join(f"| {key} | {_in_cell(value)} |" for key, value in sorted(fields.items()))
    yield text_pb("config", f"| | |\n|---|---|\n{rows}")
    if tags:
        yield text_pb("tags", ", ".join(tags))
    axes = "experiment/overrides/"
    varied = {key.removeprefix(axes): v for key, v in fields.items() if key.startswith(axes)}
    if varied:
        yield hparams_pb(varied, trial_id=group)


def _in_cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _require_tensorboard() -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise missing_client("tensorboard", error) from error
