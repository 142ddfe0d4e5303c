"""How results are printed."""

from enum import StrEnum


class Format(StrEnum):
    """A table for people, two for papers; CSV, JSON and Parquet have every metric, exactly."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"
    PARQUET = "parquet"
    """To a file only, where pyarrow or Polars is installed."""

    @property
    def is_binary(self) -> bool:
        """Whether it is for a file alone."""
        return self is Format.PARQUET
