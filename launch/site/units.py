"""Times and amounts of memory as people and Slurm write them."""

import re

TIME_FORMS = '"12:00:00", "1-00:00:00", "90m", "12h" or a whole number of minutes'
MEMORY_FORMS = '"32G", "500M", "1T" or a whole number of megabytes'

_TIME = re.compile(
    r"(?:(?P<days>\d+)-(?P<dh>\d+)(?::(?P<dm>\d+)(?::(?P<ds>\d+))?)?"
    r"|(?:(?P<h>\d+):)?(?P<m>\d+):(?P<s>\d+)"
    r"|(?P<only_days>\d+)d|(?P<only_hours>\d+)h|(?P<minutes>\d+)m?)"
)
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
_MEGABYTES = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def parse_time(value: object) -> int:
    """Minutes in one of Slurm's time forms, or `90m`, `12h`, `2d`; seconds round up.

    Raises:
        ValueError: it is none of them, or no time at all is left.
    """
    match = _TIME.fullmatch(str(value).strip()) if _is_number_or_text(value) else None
    if match is None:
        raise ValueError(f"not a time: {value!r}")
    part = {name: int(text or 0) for name, text in match.groupdict().items()}
    seconds = (
        (part["days"] + part["only_days"]) * 86_400
        + (part["dh"] + part["h"] + part["only_hours"]) * 3_600
        + (part["dm"] + part["m"] + part["minutes"]) * 60
        + (part["ds"] + part["s"])
    )
    if seconds == 0:
        raise ValueError(f"no time at all: {value!r}")
    return -(-seconds // 60)


def format_time(minutes: int) -> str:
    """Minutes as Slurm writes them: `12:00:00`, `1-06:00:00`."""
    days, rest = divmod(minutes, 1_440)
    clock = f"{rest // 60:02d}:{rest % 60:02d}:00"
    return f"{days}-{clock}" if days else clock


def parse_memory(value: object) -> int:
    """Megabytes in an amount like `32G`; a bare number is megabytes, as in Slurm.

    Raises:
        ValueError: it is no amount, or less than a megabyte.
    """
    match = _MEMORY.fullmatch(str(value).strip()) if _is_number_or_text(value) else None
    if match is None:
        raise ValueError(f"not an amount of memory: {value!r}")
    megabytes = round(float(match[1]) * _MEGABYTES[match[2].upper()])
    if megabytes == 0:
        raise ValueError(f"less than a megabyte: {value!r}")
    return megabytes


def format_memory(megabytes: int) -> str:
    """Megabytes in the largest unit that divides them: `32G`, `500M`."""
    for unit, size in (("T", 1024**2), ("G", 1024)):
        if megabytes % size == 0:
            return f"{megabytes // size}{unit}"
    return f"{megabytes}M"


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
