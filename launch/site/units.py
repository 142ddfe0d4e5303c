"""Times and amounts of memory as people and Slurm write them."""

import re

TIME_FORMS = (
    '"12:00:00", "1-00:00:00", "90min", "1.5h", "1d12h", UNLIMITED or a whole number of minutes'
)
MEMORY_FORMS = '"32G", "500M", "1T" or a whole number of megabytes'
NODE_MEMORY_FORMS = f"{MEMORY_FORMS}; 0 for all of a node's"

UNLIMITED = 0
"""Minutes of a request without a time limit, which is what Slurm understands by `--time=0`."""

_LONGEST = 2**31 - 1
"""Minutes; Slurm's field for them has no room for more."""

_MOST_LETTERS = 40
"""Of a time or an amount; what is longer is neither."""

_CLOCK = re.compile(
    r"(?:(?P<days>\d+)-(?P<dh>\d+)(?::(?P<dm>\d+)(?::(?P<ds>\d+))?)?"
    r"|(?:(?P<h>\d+):)?(?P<m>\d+):(?P<s>\d+)"
    r"|(?P<minutes>\d+))"
)
_PART = re.compile(
    r"(\d+(?:\.\d+)?)\s*"
    r"(?:(?P<d>d(?:ays?)?)|(?P<h>h(?:(?:ou)?rs?)?)"
    r"|(?P<m>m(?:in(?:ute)?s?)?)|(?P<s>s(?:ec(?:ond)?s?)?))\s*",
    re.IGNORECASE,
)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB?|B)?", re.IGNORECASE)
_MEGABYTES = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def parse_time(value: object) -> int:
    """Minutes in one of Slurm's time forms, or `90min`, `1.5h`, `1d12h`; seconds round up.

    Raises:
        ValueError: it is none of them, no time at all is left, or more than Slurm can count.
    """
    text = str(value).strip() if _is_number_or_text(value) else ""
    if text.lower() in ("unlimited", "infinite"):
        return UNLIMITED
    seconds = _clock_seconds(text)
    if seconds is None:
        seconds = _worded_seconds(text)
    if seconds is None:
        raise ValueError(f"not a time: {value!r}")
    minutes = -(-seconds // 60)
    if not 0 < minutes <= _LONGEST:
        raise ValueError(f"no time at all, or too long a time: {value!r}")
    return minutes


def format_time(minutes: int) -> str:
    """Minutes as Slurm writes them: `12:00:00`, `1-06:00:00`, `UNLIMITED`."""
    if minutes == UNLIMITED:
        return "UNLIMITED"
    days, rest = divmod(minutes, 1_440)
    clock = f"{rest // 60:02d}:{rest % 60:02d}:00"
    return f"{days}-{clock}" if days else clock


def parse_memory(value: object) -> int:
    """Megabytes in an amount like `32G`; a bare number is megabytes, as in Slurm.

    Raises:
        ValueError: it is no amount, or less than a megabyte.
    """
    text = str(value).strip() if _is_number_or_text(value) else ""
    match = _MEMORY.fullmatch(text) if len(text) <= _MOST_LETTERS else None
    if match is None:
        raise ValueError(f"not an amount of memory: {value!r}")
    megabytes = round(float(match[1]) * _MEGABYTES[match[2].upper()])
    if megabytes == 0:
        raise ValueError(f"less than a megabyte: {value!r}")
    return megabytes


def parse_node_memory(value: object) -> int:
    """As `parse_memory`; 0 is Slurm's word for all that a node has.

    Raises:
        ValueError: it is no amount.
    """
    return 0 if str(value).strip() == "0" else parse_memory(value)


def format_memory(megabytes: int) -> str:
    """Megabytes in the largest unit that divides them: `32G`, `500M`."""
    for unit, size in (("T", 1024**2), ("G", 1024)):
        if megabytes % size == 0:
            return f"{megabytes // size}{unit}"
    return f"{megabytes}M"


def _clock_seconds(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None or len(text) > _MOST_LETTERS:
        return None
    part = {name: int(digits or 0) for name, digits in match.groupdict().items()}
    return (
        part["days"] * 86_400
        + (part["dh"] + part["h"]) * 3_600
        + (part["dm"] + part["m"] + part["minutes"]) * 60
        + (part["ds"] + part["s"])
    )


def _worded_seconds(text: str) -> int | None:
    """`1d12h`: each unit once, the largest first."""
    position, seconds, units = 0, 0.0, ""
    while position < len(text) <= _MOST_LETTERS:
        match = _PART.match(text, position)
        unit = match and match.lastgroup
        if match is None or unit is None or unit in units:
            return None
        seconds += float(match[1]) * _SECONDS[unit]
        position, units = match.end(), units + unit
    return round(seconds) if units and "".join(sorted(units, key="dhms".index)) == units else None


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
