"""The nearest right name for a misspelt one."""

from collections.abc import Iterable
from pathlib import PurePath


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` most likely stands for, or None."""
    # Costs milliseconds to import, and is needed only when something is wrong.
    from difflib import get_close_matches

    candidates = {candidate.lower(): candidate for candidate in names}
    matches = get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    if matches:
        return candidates[matches[0]]
    # `posterior_gaussian` is far from `latent/posterior_gaussian` for difflib.
    ends = {candidate.rpartition("/")[2]: candidate for candidate in candidates.values()}
    matches = get_close_matches(name.lower().rpartition("/")[2], ends, n=1, cutoff=0.8)
    return ends[matches[0]] if matches else None


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """A hint for a misspelt name, or None where nothing is near."""
    nearest = nearest_name(name, names)
    return None if nearest is None else f"did you mean '{nearest}'?"


def nearest_file(name: str, names: Iterable[str]) -> str | None:
    """As `nearest_name`, for file names: that two end in `.yaml` makes them no more alike."""
    by_stem = {PurePath(each).stem: each for each in names}
    nearest = nearest_name(PurePath(name).stem, by_stem)
    return None if nearest is None else by_stem[nearest]
