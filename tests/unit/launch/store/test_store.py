from pathlib import Path

import pytest

from launch.damage import noticed_damage
from launch.store import Store, runs_root
from pcm.errors import ExitCode, NotFoundError, UsageError
from tests.unit.launch.conftest import ExpandGrid

LR = "model.init_args.lr"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "all the 'runs'")


def test_an_empty_store_has_nothing(store: Store) -> None:
    assert store.experiments() == []
    assert store.sweeps() == []
    with pytest.raises(NotFoundError) as caught:
        store.find("abc")
    assert caught.value.exit_code == ExitCode.NOT_FOUND
    assert "nothing was launched" in str(caught.value)


def test_experiments_are_as_they_were_frozen(store: Store, expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        tags=["x"], grid={LR: [0.1, 0.2]}, resources={"tasks_per_node": 3, "time": "1:00:00"}
    )
    store.freeze(grid)
    experiments = store.experiments()
    assert [experiment.id for experiment in experiments] == [point.id for point in grid.points]
    for experiment, point in zip(experiments, grid.points, strict=True):
        assert experiment.name == point.name
        assert experiment.identity == point.identity
        assert experiment.sweep == "sweep"
        assert experiment.overrides == point.overrides
        assert experiment.tags == ("x",)
        assert experiment.world_size == 3
        assert experiment.resources == point.resources
        assert experiment.config() == point.config
        assert not experiment.run_dir.path.exists()
        assert experiment.create_run_dir() == experiment.run_dir
        assert experiment.run_dir.config.exists()


def test_an_extended_grid_adds_to_its_sweep(store: Store, expand_grid: ExpandGrid) -> None:
    first = store.freeze(expand_grid(grid={LR: [0.1, 0.2]}))
    second = store.freeze(expand_grid(grid={LR: [0.2, 0.3]}))
    experiments = store.experiments("sweep")
    assert [experiment.overrides[LR] for experiment in experiments] == [0.1, 0.2, 0.3]
    assert [experiment.launch.id for experiment in experiments] == [
        first.id,
        second.id,
        second.id,
    ]
    (sweep,) = store.sweeps()
    assert [launch.id for launch in sweep.launches] == [first.id, second.id]
    assert sweep.newest.id == second.id


def test_the_newest_launch_names_an_experiment(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid(name="old", grid={"seed": [0, 1]}))
    store.freeze(expand_grid(name="new", grid={"seed": [1, 2]}))
    assert [experiment.name for experiment in store.experiments()] == [
        "old-seed=0",
        "new-seed=1",
        "new-seed=2",
    ]
    assert [experiment.name for experiment in store.experiments("old")] == [
        "old-seed=0",
        "old-seed=1",
    ]
    assert [sweep.name for sweep in store.sweeps()] == ["old", "new"]


def test_a_beginning_of_an_id_is_enough(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid(grid={"seed": list(range(40))}))
    for experiment in store.experiments():
        assert store.find(experiment.id).id == experiment.id
        assert store.find(experiment.id[:8]).id == experiment.id


def test_a_whole_name_is_enough(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid(grid={"seed": [0, 1]}))
    assert store.find("sweep-seed=1").overrides == {"seed": 1}


def test_an_ambiguous_beginning_lists_the_candidates(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid(grid={"seed": list(range(40))}))
    ids = [experiment.id for experiment in store.experiments()]
    digit = next(digit for digit in "0123456789abcdef" if sum(i[0] == digit for i in ids) > 1)
    with pytest.raises(UsageError) as caught:
        store.find(digit)
    assert caught.value.exit_code == ExitCode.USAGE
    matching = [each for each in ids if each[0] == digit]
    assert f"stands for {len(matching)} experiments" in str(caught.value)
    assert all(each in str(caught.value) for each in matching[:8])
    assert "sweep-seed=" in str(caught.value)


def test_an_unknown_id_names_the_nearest(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid())
    (experiment,) = store.experiments()
    typed = experiment.id[:-1] + ("0" if experiment.id[-1] != "0" else "1")
    with pytest.raises(NotFoundError, match=experiment.id):
        store.find(typed)


@pytest.mark.parametrize("prefix", ["", "zzz", "../..", "größe"])
def test_what_is_no_id(store: Store, expand_grid: ExpandGrid, prefix: str) -> None:
    store.freeze(expand_grid())
    with pytest.raises(NotFoundError):
        store.find(prefix)


def test_sweeps_by_the_beginning_of_their_name(store: Store, expand_grid: ExpandGrid) -> None:
    for name in ("mnist", "mnist latent", "größe"):
        store.freeze(expand_grid(name=name))
    assert store.find_sweep("mnist").name == "mnist"
    assert store.find_sweep("mnist l").name == "mnist latent"
    assert store.find_sweep("gr").name == "größe"
    with pytest.raises(UsageError, match="mnist latent"):
        store.find_sweep("mni")
    with pytest.raises(NotFoundError, match="mnist"):
        store.find_sweep("mnits")


def test_half_written_launches_are_not_seen(store: Store, expand_grid: ExpandGrid) -> None:
    launch = store.freeze(expand_grid())
    launch.path.rename(launch.path.with_name(f".{launch.id}.tmp"))
    assert store.experiments() == []
    assert store.sweeps() == []


def test_ten_thousand_experiments_are_listed(store: Store, expand_grid: ExpandGrid) -> None:
    store.freeze(expand_grid(grid={"seed": list(range(10_000))}))
    experiments = store.experiments()
    assert len({experiment.id for experiment in experiments}) == 10_000


def test_the_runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PCM_RUNS_DIR", raising=False)
    assert runs_root() == tmp_path / "runs"
    monkeypatch.setenv("PCM_RUNS_DIR", "elsewhere")
    assert runs_root() == tmp_path / "elsewhere"
    assert runs_root(Path("/flag")) == Path("/flag")


def test_lines_that_are_missing_at_the_end_are_noticed(
    store: Store, expand_grid: ExpandGrid
) -> None:
    launch = store.freeze(expand_grid(grid={LR: [0.1, 0.2, 0.3]}))
    with noticed_damage() as found:
        assert len(store.experiments()) == 3
    assert not found
    lines = launch.points.read_bytes().splitlines(keepends=True)
    launch.points.write_bytes(b"".join(lines[:2]))
    with noticed_damage() as found:
        assert len(store.experiments()) == 2
    assert [each.reason for each in found.values()] == ["it ends after 2 of 3 experiments"]
