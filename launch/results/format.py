"""How results are printed."""

from enum import StrEnum


class Format(StrEnum):
    """A table for people; the others are for programs and have every metric, exactly."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
