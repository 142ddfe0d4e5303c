import errno
import json
import math
from typing import Any

import pytest

from pcm.errors import RefusedError
from pcm.run_dir import JournalWriter, RunDir, read_json, write_json
from pcm.tracking import feeder as feeder_module
from pcm.tracking import state as state_module
from pcm.tracking.events import EventWriter
from pcm.tracking.feeder import Feeder
from tests.unit.tracking.conftest import write_look, write_rows
from tests.unit.tracking.fakes import FakeTracker, Service


def feed(run_dir: RunDir, service: Service, *, tells: bool = True) -> int:
    """Feed once, as a new process would."""
    feeder = Feeder(run_dir, FakeTracker(service, tells=tells))
    sent = feeder.feed()
    feeder.close()
    return sent


def steps(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def test_every_step_arrives_once_with_its_value_and_time(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    service = Service()
    assert feed(run_dir, service) == 10
    points = service.runs["run-1"]["train/loss"]
    assert [(p.step, p.value, p.time) for p in points] == [
        (step, step / 2, 1000.0 + step) for step in steps(1, 5)
    ]
    assert service.steps("val/mse ä") == steps(1, 5)


def test_a_tracker_without_a_place_for_the_machine_gets_metrics_alone(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    write_look(run_dir, 1, 1000.0, gpu_percent=80.0)
    service = Service()
    assert feed(run_dir, service) == 10
    assert set(service.runs["run-1"]) == {"train/loss", "val/mse ä"}


def test_nothing_new_sends_nothing(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    service = Service()
    feed(run_dir, service)
    assert feed(run_dir, service) == 0
    assert service.steps("train/loss") == steps(1, 5)


def test_an_open_feeder_sends_what_was_added_since(run_dir: RunDir) -> None:
    service = Service()
    feeder = Feeder(run_dir, FakeTracker(service))
    assert feeder.feed() == 0
    write_rows(run_dir, 1, 3)
    assert feeder.feed() == 6
    write_rows(run_dir, 4, 4)
    assert feeder.feed() == 2
    assert service.steps("train/loss") == steps(1, 4)


def test_a_resumed_attempt_continues_the_run_and_repeats_no_step(run_dir: RunDir) -> None:
    service = Service()
    write_rows(run_dir, 1, 10)
    feed(run_dir, service)
    write_rows(run_dir, 7, 14, attempt=2, resumed_from=6)
    feed(run_dir, service)
    assert list(service.runs) == ["run-1"]
    assert service.steps("train/loss") == steps(1, 14)


def test_superseded_rows_are_not_sent_to_a_tracker_that_comes_late(run_dir: RunDir) -> None:
    journal = JournalWriter(run_dir.metrics, 1, None)
    journal.append(5, 0, 0.0, {"lost": 1.0})
    journal.close()
    write_rows(run_dir, 4, 6, attempt=2, resumed_from=3)
    service = Service()
    feed(run_dir, service)
    assert service.steps("lost") == []
    assert service.steps("train/loss") == steps(4, 6)


def test_a_second_tracker_gets_the_whole_history(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    feed(run_dir, Service())
    late, service = FakeTracker(Service()), Service()
    late.slot, late.service = "late", service
    Feeder(run_dir, late).feed()
    assert service.steps("train/loss") == steps(1, 5)
    assert set(read_json(run_dir.tracker)["trackers"]) == {"fake", "late"}


def test_rows_of_a_process_that_died_before_feeding_are_sent_later(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    with run_dir.metrics.open("a") as stream:
        stream.write('{"attempt": 1, "step": 6, "val')  # the writer was killed here
    write_rows(run_dir, 4, 6, attempt=2, resumed_from=3)
    service = Service()
    feed(run_dir, service)
    assert service.steps("train/loss") == steps(1, 6)


def test_the_run_id_is_on_disk_before_the_first_metric(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 1)
    seen: list[Any] = []

    def look(method: str, client: FakeTracker) -> None:
        if method in {"describe", "log"}:
            seen.append(read_json(run_dir.tracker)["trackers"]["fake"]["runs"])

    tracker = FakeTracker(Service())
    tracker.before = look
    Feeder(run_dir, tracker).feed()
    assert seen == [["run-1"]] * 3


@pytest.mark.parametrize("fatal_call", range(1, 8))
@pytest.mark.parametrize("error", [ConnectionError, KeyboardInterrupt])
def test_a_failure_at_any_call_neither_loses_nor_doubles(
    run_dir: RunDir,
    monkeypatch: pytest.MonkeyPatch,
    fatal_call: int,
    error: type[BaseException],
) -> None:
    monkeypatch.setattr(feeder_module, "_BATCH", 8)
    write_rows(run_dir, 1, 12)
    calls = 0

    def fail(method: str, client: FakeTracker) -> None:
        nonlocal calls
        calls += 1
        if calls == fatal_call:
            raise error

    service = Service()
    tracker = FakeTracker(service)
    tracker.before = fail
    feeder = Feeder(run_dir, tracker)
    with pytest.raises(error):
        feeder.feed()
    # The same process tries again, or it is gone and the next one does.
    (feeder if error is ConnectionError else Feeder(run_dir, FakeTracker(service))).feed()
    assert service.steps("train/loss") == steps(1, 12)
    assert service.steps("val/mse ä") == steps(1, 12)


def test_a_batch_of_unknown_fate_is_not_repeated(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeder_module, "_BATCH", 8)
    write_rows(run_dir, 1, 12)
    service = Service()
    tracker = FakeTracker(service, tells=False)

    def die_after_the_batch(method: str, client: FakeTracker) -> None:
        if method == "flush":
            raise KeyboardInterrupt

    tracker.before = die_after_the_batch
    with pytest.raises(KeyboardInterrupt):
        Feeder(run_dir, tracker).feed()
    assert service.steps("train/loss") == steps(1, 4)
    feed(run_dir, service, tells=False)
    assert service.steps("train/loss") == steps(1, 12)


@pytest.mark.parametrize("failing_write", [1, 2, 3])
def test_a_full_disk_neither_loses_nor_doubles(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch, failing_write: int
) -> None:
    write_rows(run_dir, 1, 5)
    writes = 0

    def write_or_fail(*args: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == failing_write:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_json(*args)

    monkeypatch.setattr(state_module, "write_json", write_or_fail)
    service = Service()
    feeder = Feeder(run_dir, FakeTracker(service))
    with pytest.raises(OSError, match="No space"):
        feeder.feed()
    # Nothing is sent that could not be accounted for.
    assert bool(service.steps("train/loss")) == (failing_write == 3)
    feeder.feed()
    assert service.steps("train/loss") == steps(1, 5)


def test_what_is_no_number_for_a_tracker_is_left_out(run_dir: RunDir) -> None:
    journal = JournalWriter(run_dir.metrics, 1, None)
    for step, value in enumerate([1.0, math.nan, math.inf, -math.inf, 5.0]):
        journal.append(step, 0, 0.0, {"loss": value})
    journal.close()
    service = Service()
    feed(run_dir, service)
    assert service.steps("loss") == [0, 4]


def test_one_step_written_twice_is_sent_once(run_dir: RunDir) -> None:
    write_rows(run_dir, 3, 3)
    write_rows(run_dir, 3, 3)
    service = Service()
    feed(run_dir, service)
    assert service.steps("train/loss") == [3]


def test_figures_texts_and_fields_arrive(run_dir: RunDir) -> None:
    events = EventWriter(run_dir.events)
    events.figure("val/pca", 10, "val/pca-step=10.png")
    events.figure("val/pca", 20, "val/pca-step=20.png")
    events.text("checkpoints", 20, "epoch=1-step=20.ckpt")
    events.fields({"hyperparameters/lr": 0.1})
    events.close()
    service = Service()
    feed(run_dir, service)
    feed(run_dir, service)
    figures = service.runs["run-1"]["val/pca"]
    assert [(p.step, p.value) for p in figures] == [
        (step, run_dir.plots / f"val/pca-step={step}.png") for step in (10, 20)
    ]
    assert [p.value for p in service.runs["run-1"]["checkpoints"]] == ["epoch=1-step=20.ckpt"]
    assert service.fields["hyperparameters/lr"] == 0.1
    assert service.fields["config/model/chain/0/dims"] == "[4, 2]"
    assert service.fields["experiment/id"] == "c0ffee1234"
    assert service.tags == ["vae"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 1}', "\udcff"])
def test_a_damaged_record_stops_the_feeding(run_dir: RunDir, content: str) -> None:
    run_dir.tracker.write_bytes(content.encode(errors="surrogateescape"))
    write_rows(run_dir, 1, 2)
    service = Service()
    with pytest.raises(RefusedError, match="damaged"):
        feed(run_dir, service)
    assert service.runs == {}


def test_a_record_of_a_newer_version_stops_the_feeding(run_dir: RunDir) -> None:
    run_dir.tracker.write_text(json.dumps({"schema_version": 2, "trackers": {}}))
    with pytest.raises(RefusedError, match="version 2"):
        feed(run_dir, Service())


def test_what_is_no_record_is_left_out(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 2)
    row = {"attempt": 1, "step": 3, "epoch": 0, "time": 1003.0}
    with run_dir.metrics.open("a") as stream:
        for record in ({}, {**row, "values": None}, {"attempt": 1, "resumed_from_step": None}):
            stream.write(json.dumps(record) + "\n")
        stream.write(json.dumps({**row, "values": {"train/loss": 10**400, "lr": 2**53 + 1}}) + "\n")
    run_dir.events.write_text('{}\n{"kind": "figure", "key": "a", "step": 1}\n{"kind": "fields"}\n')
    service = Service()
    feed(run_dir, service)
    assert service.steps("train/loss") == steps(1, 2)
    assert [point.value for point in service.runs["run-1"]["lr"]] == [float(2**53)]


def test_a_journal_that_is_begun_anew_is_read_from_its_beginning(run_dir: RunDir) -> None:
    service = Service()
    feeder = Feeder(run_dir, FakeTracker(service))
    write_rows(run_dir, 1, 5)
    feeder.feed()
    run_dir.metrics.unlink()
    write_rows(run_dir, 5, 7)
    feeder.feed()
    assert service.steps("train/loss") == steps(1, 7)


def test_a_run_that_lost_what_this_process_had_sent_gets_all_of_it_again(run_dir: RunDir) -> None:
    service = Service()
    tracker = FakeTracker(service)
    feeder = Feeder(run_dir, tracker)
    write_rows(run_dir, 1, 5)
    feeder.feed()
    service.runs.clear()

    def fail_once(method: str, client: FakeTracker) -> None:
        client.before = lambda *_: None
        client.found = True
        raise ConnectionError(method)

    write_rows(run_dir, 6, 8)
    tracker.before = fail_once
    with pytest.raises(ConnectionError):
        feeder.feed()
    feeder.feed()
    assert service.steps("train/loss") == steps(1, 8)
    assert service.fields["experiment/id"] == "c0ffee1234"


@pytest.mark.parametrize("run", [None, "", 7])
def test_what_is_no_id_of_a_run_is_refused(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    tracker = FakeTracker(Service())
    monkeypatch.setattr(tracker, "open", lambda _runs: run)
    with pytest.raises(RefusedError, match="in place of the id"):
        Feeder(run_dir, tracker).feed()
    assert not run_dir.tracker.exists()
