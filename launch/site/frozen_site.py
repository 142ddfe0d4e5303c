"""A site as it was at a launch, as plain data: what goes on later need not find its file."""

from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from launch.site.resources import Resources
from launch.site.sites import Site, site_of_entries


def site_record(site: Site) -> dict[str, Any]:
    """What makes up a site, for a JSON file; what it leaves open is left out."""
    usual = Site()
    given = {
        field.name: _plain(getattr(site, field.name))
        for field in _written()
        if getattr(site, field.name) != getattr(usual, field.name)
    }
    return {"name": site.name, **given, "defaults": site.defaults.given()}


def recorded_site(record: Mapping[str, Any]) -> Site:
    """The site of a record; what another version has written besides is left out."""
    known = {field.name for field in _written()} - {"name", "defaults"}
    wishes = {field.name for field in fields(Resources)}
    defaults = {name: each for name, each in record.get("defaults", {}).items() if name in wishes}
    entries = {name: value for name, value in record.items() if name in known}
    return site_of_entries(entries, Resources(**defaults), str(record.get("name", Site().name)))


def _written() -> list[Field[Any]]:
    """The fields that a file says; the others follow from them."""
    return [field for field in fields(Site) if field.init]


def _plain(value: Any) -> Any:
    if isinstance(value, Resources):
        return value.given()
    if isinstance(value, Mapping):
        return {str(key): _plain(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    return str(value) if isinstance(value, str | Path) else value
