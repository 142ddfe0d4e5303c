"""A Slurm that has room for so many tasks: what gets in, and what is known of the rest."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from launch.site import Resources, Site
from launch.slurm.queue import NOT_ASKED
from launch.status.state import State
from launch.status.statuses import read_statuses
from launch.store import Experiment, LaunchDir, RunsRoot
from launch.store.submissions import all_submissions, note_unsubmitted, read_unsubmitted
from launch.submit.sbatch_errors import NoRoomError
from launch.submit.sweep import submit
from pcm.errors import RefusedError
from tests.local.launches import make_launch
from tests.unit.launch.submit.conftest import Fake

NAMES = [f"point {number}" for number in range(11)]

SBATCH = """
room={folder}/room
count=$(($(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$2") + 1))
echo "$count" >> {folder}/calls
if [ "$count" -gt "$(cat $room)" ]; then echo QOSMaxSubmitJobPerUserLimit >&2; exit 1; fi
echo $(($(cat $room) - count)) > $room
echo $((100 + $(wc -l < {folder}/calls)))
"""


class Room:
    """An sbatch that has room for so many tasks."""

    def __init__(self, folder: Path, fake: Fake) -> None:
        self._folder = folder
        fake("sbatch", SBATCH.format(folder=folder))

    def make(self, count: int) -> None:
        """There is room for so many from now on."""
        (self._folder / "room").write_text(str(count))

    @property
    def calls(self) -> list[int]:
        """The number of tasks of each call."""
        return [int(line) for line in (self._folder / "calls").read_text().split()]


@pytest.fixture
def room(tmp_path: Path, fake: Fake) -> Room:
    return Room(tmp_path, fake)


@pytest.fixture
def experiments(tmp_path: Path) -> list[Experiment]:
    return make_launch(tmp_path / "my runs", NAMES)


def root(experiments: Sequence[Experiment]) -> RunsRoot:
    return RunsRoot(experiments[0].launch.root)


def arrays(experiments: Sequence[Experiment]) -> list[tuple[str, ...]]:
    found = sorted(all_submissions(root(experiments)), key=lambda each: each.time)
    return [each.array for each in found]


def ignore(_text: str) -> None: ...


@pytest.mark.parametrize("places", range(len(NAMES) + 1))
def test_as_many_get_in_as_there_is_room_for(
    room: Room, experiments: list[Experiment], places: int
) -> None:
    room.make(places)
    no_room = submit(experiments, Site(), 1001, ignore)
    ids = [each.id for each in experiments]
    assert [each for array in arrays(experiments) for each in array] == ids[:places]
    assert list(read_unsubmitted(root(experiments))) == ids[places:]
    assert len(room.calls) <= 5
    if places == len(NAMES):
        assert (no_room, room.calls) == (None, [places])
    else:
        assert no_room is not None
        assert f"{places} of 11 experiments are submitted" in no_room.message


def test_what_has_no_room_is_told_by_its_status(room: Room, experiments: list[Experiment]) -> None:
    room.make(4)
    submit(experiments, Site(), 1001, ignore)
    statuses = read_statuses(experiments, NOT_ASKED)
    last = statuses[experiments[-1].id]
    assert last.state is State.NEW
    assert last.detail == "not submitted: QOSMaxSubmitJobPerUserLimit"
    assert statuses[experiments[0].id].state is State.PENDING


def test_the_rest_gets_in_later_and_is_forgotten(room: Room, experiments: list[Experiment]) -> None:
    room.make(4)
    submit(experiments, Site(), 1001, ignore)
    room.make(100)
    assert submit(experiments[4:], Site(), 1001, ignore) is None
    assert sum(map(len, arrays(experiments))) == len(NAMES)
    assert read_unsubmitted(root(experiments)) == {}


def test_one_of_the_rest_leaves_the_others_known(room: Room, experiments: list[Experiment]) -> None:
    room.make(4)
    submit(experiments, Site(), 1001, ignore)
    room.make(100)
    submit(experiments[6:7], Site(), 1001, ignore)
    left = {each.id for each in experiments[4:]} - {experiments[6].id}
    assert set(read_unsubmitted(root(experiments))) == left


def test_another_launch_takes_over(room: Room, experiments: list[Experiment]) -> None:
    launch = experiments[0].launch
    earlier = LaunchDir(launch.path.with_name("20250101-000000-000000-abcd"))
    earlier.path.mkdir()
    note_unsubmitted(earlier, wanted=["elsewhere", experiments[0].id], reason="full")
    room.make(100)
    submit(experiments, Site(), 1001, ignore)
    assert read_unsubmitted(root(experiments)) == {"elsewhere": "full"}


def test_max_parallel_holds_for_all_waves(room: Room, experiments: list[Experiment]) -> None:
    site = Site(defaults=Resources(max_parallel=2))
    room.make(6)
    submit(experiments, site, 1001, ignore)
    queued = {each: sub for sub in all_submissions(root(experiments)) for each in sub.array}
    room.make(100)
    submit(experiments[6:], site, 1001, ignore, queued=queued)
    found = sorted(all_submissions(root(experiments)), key=lambda each: each.time)
    waits = [_dependency(each.files.script) for each in found]
    jobs = [str(each.job_id) for each in found]
    # Each part after the one before it, the next wave after all that is in the queue.
    assert waits[: len(jobs) - 1] == ["", *jobs[: len(jobs) - 2]]
    assert waits[-1] == ":".join(jobs[:-1])


def test_room_for_all_at_once_needs_no_order(room: Room, experiments: list[Experiment]) -> None:
    room.make(6)
    submit(experiments, Site(), 1001, ignore)
    room.make(100)
    submit(experiments[6:], Site(), 1001, ignore)
    assert {_dependency(each.files.script) for each in all_submissions(root(experiments))} == {""}


def test_another_refusal_is_an_error_and_known(
    fake: Fake, room: Room, experiments: list[Experiment]
) -> None:
    fake("sbatch", "echo 'Invalid qos specification' >&2; exit 1")
    with pytest.raises(RefusedError, match="Invalid qos") as caught:
        submit(experiments, Site(), 1001, ignore)
    assert not isinstance(caught.value, NoRoomError)
    assert len(read_unsubmitted(root(experiments))) == len(NAMES)


def _dependency(script: Path) -> str:
    lines = [line for line in script.read_text().splitlines() if "--dependency=" in line]
    return lines[0].partition("afterany:")[2] if lines else ""
