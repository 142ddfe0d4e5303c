from pcm.rank.pace import Pace


def looks(*seen: tuple[float, str, int, int]) -> Pace:
    pace = Pace()
    for each in seen:
        pace.look(*each)
    return pace


def test_before_training_there_is_no_step() -> None:
    assert looks((0, "starting", 0, 0), (90, "starting", 0, 0)).stepped is None


def test_the_longest_step_stays_the_longest() -> None:
    pace = looks((0, "training", 0, 0), (1, "training", 1, 1), (6, "training", 2, 2))
    pace.look(8, "training", 3, 3)
    pace.look(20, "training", 3, 3)
    assert (pace.stepped, pace.longest) == (8, 5)


def test_with_accumulated_gradients_it_is_from_one_chance_to_stop_to_the_next() -> None:
    seen = [(float(second), "training", second, second // 4) for second in range(9)]
    pace = looks(*seen)
    assert (pace.stepped, pace.longest) == (8, 4)


def test_writing_a_checkpoint_is_no_step() -> None:
    pace = looks((0, "training", 0, 0), (1, "training", 1, 1), (500, "checkpointing", 1, 1))
    pace.look(501, "training", 2, 2)
    assert (pace.stepped, pace.longest) == (501, 1)


def test_batches_of_a_validation_are_steps() -> None:
    pace = looks((0, "training", 5, 5), (1, "validating", 5, 6), (2, "validating", 5, 7))
    assert (pace.stepped, pace.longest) == (2, 1)
