"""Which time limits a person is warned of."""

import pytest

from launch.site import Resources, Site
from launch.submit.short_limits import short_limits


@pytest.mark.parametrize("minutes", [None, 4, 600])
def test_a_limit_that_leaves_time(minutes: int | None) -> None:
    assert short_limits([Resources(time=minutes)], Site()) == []


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "comes 90 s before it, after 0 s of 60 s"),
        (2, "comes 90 s before it, after 0 to 30 s of 120 s"),
        (3, "comes 90 s before it, after 60 to 90 s of 180 s"),
    ],
)
def test_a_limit_that_leaves_little(minutes: int, words: str) -> None:
    [text] = short_limits([Resources(time=minutes), Resources(time=minutes)], Site())
    assert text.startswith(f"a time limit of {minutes} min is short")
    assert words in text


def test_a_sites_own_signal_counts() -> None:
    asked = [Resources(time=10)]
    assert len(short_limits(asked, Site(sbatch={"signal": "B:USR1@300"}))) == 1
    assert short_limits(asked, Site(sbatch={"signal": "USR2"})) == []
