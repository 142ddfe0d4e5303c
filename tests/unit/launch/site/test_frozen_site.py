"""A site as plain data and back."""

import json
from pathlib import Path

from launch.site import Site, load_site
from launch.site.frozen_site import recorded_site, site_record

EVERYTHING = """\
defaults: {partition: gpu, mem: 4G, time: "01:00:00", retry: {oom: {mem_factor: 1.5, max: 2}}}
gpu_flag: gpus-per-node
modules: [cuda]
setup: ['export A="b c"']
binds: [/data]
container: {image: x.sif}
image_folder: /images
mount: unsquash
max_array_size: 7
accounting: false
sbatch: {clusters: big, exclusive: ""}
"""


def test_a_site_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "größer.yaml"
    path.write_text(EVERYTHING)
    site = load_site(path)
    assert recorded_site(json.loads(json.dumps(site_record(site)))) == site
    assert recorded_site(site_record(Site())) == Site()


def test_what_another_version_wrote_is_left_out() -> None:
    record = {"name": "a", "defaults": {"mem": 5, "moons": 2}, "tides": "high"}
    site = recorded_site(record)
    assert (site.name, site.defaults.given()) == ("a", {"mem": 5})
