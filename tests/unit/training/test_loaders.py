import random

import torch
from torch.utils.data import DataLoader, Dataset

from pcm import generators
from pcm.internals.loops import Place, write_place
from pcm.training.states.loaders import make_replayable
from pcm.training.states.replay import Replayable


class Noisy(Dataset[float]):
    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> float:
        return index + random.random()


def loader(**kwargs: object) -> Replayable:
    return Replayable(DataLoader(Noisy(), batch_size=2, shuffle=True, **kwargs))  # type: ignore[arg-type]


def test_our_own_loaders_stay_as_they_are() -> None:
    class Positioned:
        def set_position(self, epoch: int, batch: int) -> None: ...

    ours = Positioned()
    assert make_replayable(ours) is ours
    assert isinstance(make_replayable([1, 2]), Replayable)


def test_a_pass_is_replayed_whatever_was_drawn_between() -> None:
    generators.seed_all(1)
    original = loader()
    iterator = iter(original)
    seen = [next(iterator) for _ in range(3)]
    rest_state = generators.capture()
    rest = list(iterator)
    torch.rand(5)

    again = loader()
    again.rewind(original.passes)
    iterator = iter(again)
    torch.rand(7)  # nothing is drawn before the first batch
    replayed = [next(iterator) for _ in range(3)]
    generators.restore(rest_state)
    assert all(torch.equal(a, b) for a, b in zip(seen, replayed, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(rest, list(iterator), strict=True))


def test_a_users_generator_goes_on_where_it_was() -> None:
    original = loader(generator=torch.Generator().manual_seed(3))
    list(original)
    states = original.own_states
    expected = [round(float(value)) for batch in original for value in batch.floor()]

    again = loader(generator=torch.Generator().manual_seed(9))
    again.own_states = states
    assert [round(float(value)) for batch in again for value in batch.floor()] == expected


def test_every_pass_of_an_epoch_is_recorded_and_then_forgotten() -> None:
    each = loader()
    list(each)
    list(each)
    assert len(each.passes) == 2
    each.begin_epoch()
    assert each.passes == []


def test_a_validations_passes_are_not_recorded() -> None:
    validation = make_replayable(DataLoader(Noisy()))
    assert isinstance(validation, Replayable)
    assert len(list(validation)) == 12
    assert validation.passes == []


def test_lightning_finds_the_sampler_and_no_way_to_resume() -> None:
    class Stateful(DataLoader[float]):
        def state_dict(self) -> dict[str, int]:
            return {}

    wrapped = Replayable(Stateful(Noisy()))
    assert wrapped.sampler is not None
    assert len(wrapped) == 12
    assert not hasattr(wrapped, "state_dict")


def _counters(ready: int, completed: int) -> dict[str, int]:
    return {"ready": ready, "started": ready, "processed": ready, "completed": completed}


def _loops() -> dict[str, dict[str, object]]:
    return {
        "fit_loop": {
            "epoch_progress": {"total": _counters(3, 2), "current": _counters(3, 2)},
            "epoch_loop.batch_progress": {"total": _counters(25, 25), "current": _counters(5, 5)},
            "epoch_loop.state_dict": {"_batches_that_stepped": 25},
            "epoch_loop.val_loop.batch_progress": {
                "total": _counters(4, 4),
                "current": _counters(2, 1),
                "is_last_batch": True,
            },
        }
    }


def test_place_between_epochs_has_nothing_under_way() -> None:
    loops = _loops()
    write_place(loops, Place.EPOCH)
    progress = loops["fit_loop"]["epoch_progress"]
    assert progress == {"total": _counters(2, 2), "current": _counters(2, 2)}


def test_place_between_steps_is_a_step_that_is_just_ending() -> None:
    loops = _loops()
    write_place(loops, Place.STEP)
    progress = loops["fit_loop"]["epoch_loop.batch_progress"]
    assert progress == {"total": _counters(25, 24), "current": _counters(5, 4)}
    assert loops["fit_loop"]["epoch_loop.state_dict"] == {"_batches_that_stepped": 24}


def test_place_in_a_validation_is_its_first_batch() -> None:
    loops = _loops()
    write_place(loops, Place.VALIDATION)
    progress = loops["fit_loop"]["epoch_loop.val_loop.batch_progress"]
    assert progress == {
        "total": {"ready": 1, "started": 1, "processed": 0, "completed": 0},
        "current": _counters(0, 0),
        "is_last_batch": False,
    }
