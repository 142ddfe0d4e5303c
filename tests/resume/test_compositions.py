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


@settings(
    max_examples=int(WANTED or 15),
    derandomize=WANTED is None,
    database=None,
    # Without shrinking, which takes minutes: each is small enough to be looked at.
    phases=[Phase.generate],
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
@given(compositions())
def test_any_composition(composition: Composition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert_composition_resumes(Path(folder), composition)
