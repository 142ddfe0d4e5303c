"""How results are printed."""

from enum import StrEnum


class Format(StrEnum):
    """A table for people, two for papers; CSV and JSON have every metric, exactly."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"
