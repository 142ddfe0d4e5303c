"""Any training composed of parts resumes as if it had not been stopped, wherever it was.

PCM_COMPOSITIONS is how many are tried, new ones each time; without it, a few that are always the
same.
"""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from tests.resume.compositions import Composition, compositions
from tests.resume.in_process import assert_composition_resumes

WANTED = os.environ.get("PCM_COMPOSITIONS")


def _settings(few: int, share: int = 1) -> settings:
    """Those of a test that tries a few, or its share of those that are wanted."""
    return settings(
        max_examples=few if WANTED is None else -(-int(WANTED) // share),
        derandomize=WANTED is None,
        database=None,
        # Without shrinking, which takes minutes: each is small enough to be looked at.
        phases=[Phase.generate],
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


@_settings(15)
@given(compositions())
def test_any_composition(composition: Composition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_composition_resumes(Path(folder), composition)


# The first one is always the simplest.
@_settings(2, share=10)
@given(compositions(ranks=2))
def test_any_composition_of_two_ranks(composition: Composition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_composition_resumes(Path(folder), composition)
