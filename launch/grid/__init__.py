"""Grid file -> points. Pure: nothing is written or printed."""

from launch.grid.bases import find_file
from launch.grid.expanding import expand
from launch.grid.flags import parse_assignment, plain_assignments
from launch.grid.points import ID_DIGITS, Grid, Point
from launch.grid.single import single
from launch.grid.spelling import KEYWORDS, OPTIONS, Spelling

__all__ = [
    "ID_DIGITS",
    "KEYWORDS",
    "OPTIONS",
    "Grid",
    "Point",
    "Spelling",
    "expand",
    "find_file",
    "parse_assignment",
    "plain_assignments",
    "single",
]
