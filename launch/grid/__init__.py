"""Grid file -> points. Pure: nothing is written or printed."""

from launch.grid.bases import find_file
from launch.grid.expanding import expand
from launch.grid.flags import parse_assignment, plain_assignments
from launch.grid.points import ID_DIGITS, Grid, Point
from launch.grid.single import single

__all__ = [
    "ID_DIGITS",
    "Grid",
    "Point",
    "expand",
    "find_file",
    "parse_assignment",
    "plain_assignments",
    "single",
]
