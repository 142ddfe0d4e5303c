import pytest

from pcm.errors import ExitCode, UsageError
from pcm.rank.ranks import Ranks

FULL = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "10.0.0.7",
}


def test_by_hand() -> None:
    ranks = Ranks.from_environment({"WORLD_SIZE": "8"})
    assert ranks == Ranks()
    assert ranks.is_first
    assert not ranks.is_supervised


def test_all_of_torchruns_variables() -> None:
    ranks = Ranks.from_environment(FULL)
    assert ranks == Ranks(5, 8, 1, 4, 1, "10.0.0.7", is_supervised=True)
    assert ranks.nodes == 2
    assert not ranks.is_first


def test_the_place_on_the_node_follows_from_the_rest() -> None:
    ranks = Ranks.from_environment({"RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"})
    assert (ranks.local_rank, ranks.node) == (1, 1)
    assert Ranks.from_environment({"RANK": "1", "WORLD_SIZE": "2"}).local_world_size == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"RANK": "one"}, "RANK is 'one'"),
        ({"RANK": "-1"}, "RANK is '-1'"),
        ({"WORLD_SIZE": None}, "WORLD_SIZE is not set"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE is '0'"),
        ({"RANK": "8"}, "rank 8 of 8"),
        ({"LOCAL_RANK": "4"}, "locally 4 of 4"),
        ({"LOCAL_WORLD_SIZE": "3", "LOCAL_RANK": "0"}, "no multiple"),
    ],
)
def test_nonsense(changes: dict[str, str | None], message: str) -> None:
    environment = {name: text for name, text in (FULL | changes).items() if text is not None}
    with pytest.raises(UsageError, match=message) as caught:
        Ranks.from_environment(environment)
    assert caught.value.exit_code == ExitCode.USAGE
