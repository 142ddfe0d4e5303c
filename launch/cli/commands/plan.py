"""`pcm plan`: what a launch would do."""

from collections.abc import Mapping
from typing import Any

from launch.cli.options import Everything, GridFile, Json, Overrides, RunsDir, SiteOption
from launch.cli.resource_options import with_resources


@with_resources()
def plan(
    grid: GridFile,
    *,
    site: SiteOption = None,
    resources: Mapping[str, Any],
    overrides: Overrides = None,
    runs_dir: RunsDir = None,
    everything: Everything = False,
    as_json: Json = False,
) -> None:
    """Show what launch would do, and the hours it asks for.

    \b
    Example:
      pcm plan config/grids/quickstart.yaml
    """
    from launch.classes import untrainable
    from launch.grid import parse_assignment
    from launch.report.plan_table import plan_record, print_plan
    from launch.report.terminal import note, print_json
    from launch.site import chosen_site, site_of
    from launch.store.finding import open_store
    from launch.submit.launches import plan_of
    from launch.submit.short_limits import short_limits
    from launch.user_settings import read_settings
    from launch.wishes import Wishes

    assigned = dict(map(parse_assignment, overrides or ()))
    expanded = Wishes(assigned, resources, settings=read_settings()).expand(grid)
    cluster = site_of(chosen_site(site))
    found = plan_of(expanded, open_store(runs_dir), cluster, note)
    if as_json:
        print_json(plan_record(found))
    else:
        warnings = [*expanded.warnings, *expanded.unmet]
        warnings += short_limits((item.resources for item in found.work), cluster)
        if found.work and (problem := untrainable(expanded, cluster)):
            warnings.append(problem)
        print_plan(found, warnings, everything=everything)
