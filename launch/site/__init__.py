"""Sites, and what an experiment asks of a machine."""

from launch.site.allocation import allocation_of, contradictions, pack_of, task_limit
from launch.site.effect import DECIDES_EFFECT, idle_entries
from launch.site.lookup import Choice, choose_site, chosen_site, find_site, site_of
from launch.site.packs import Pack
from launch.site.resources import Resources, combined, parse_resources
from launch.site.sbatch import Parameters, sbatch_parameters, setup_lines
from launch.site.sites import GpuFlag, Memory, Mount, Site, load_site
from launch.site.units import format_memory, format_time, parse_memory, parse_time

__all__ = [
    "DECIDES_EFFECT",
    "Choice",
    "GpuFlag",
    "Memory",
    "Mount",
    "Pack",
    "Parameters",
    "Resources",
    "Site",
    "allocation_of",
    "choose_site",
    "chosen_site",
    "combined",
    "contradictions",
    "find_site",
    "format_memory",
    "format_time",
    "idle_entries",
    "load_site",
    "pack_of",
    "parse_memory",
    "parse_resources",
    "parse_time",
    "sbatch_parameters",
    "setup_lines",
    "site_of",
    "task_limit",
]
