"""Time limits of which Slurm's signal to stop leaves little. Pure."""

from collections.abc import Iterable

from launch.site import Resources, Site

LEAD_S = 90
"""Seconds before the end at which a script has Slurm send its signal; submitit's own default."""

EARLY_S = 30
"""Slurm looks every half minute, so it sends the signal up to as much sooner."""


def short_limits(asked: Iterable[Resources], site: Site) -> list[str]:
    """What to tell of time limits of which less than half may be left for training."""
    lead_s = _lead_s(site)
    limits = {each.time for each in asked if each.time is not None}
    return [
        _warning(minutes, lead_s) for minutes in sorted(limits) if _is_short(minutes * 60, lead_s)
    ]


def _is_short(limit_s: int, lead_s: int) -> bool:
    return limit_s - lead_s - EARLY_S < limit_s / 2


def _warning(minutes: int, lead_s: int) -> str:
    latest = max(0, minutes * 60 - lead_s)
    earliest = max(0, latest - EARLY_S)
    when = f"{earliest} to {latest} s" if latest else "0 s"
    return (
        f"a time limit of {minutes} min is short: the signal to stop comes {lead_s} s before it, "
        f"after {when} of {minutes * 60} s"
    )


def _lead_s(site: Site) -> int:
    """A site may have its own `signal: USR2@300`; without a time, Slurm takes a minute."""
    signal = site.sbatch.get("signal")
    if signal is None:
        return LEAD_S
    seconds = str(signal).partition("@")[2]
    return int(seconds) if seconds.isdecimal() else 60
