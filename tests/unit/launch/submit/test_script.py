"""The whole script that sbatch gets."""

import sys
from pathlib import Path

import pytest

from launch.site import GpuFlag, Resources, Site, setup_lines
from launch.store import LaunchDir
from launch.store.submissions import SubmissionDir
from launch.submit.array import script_of
from launch.submit.requests import ArrayRequest, array_requests
from pcm.errors import RefusedError
from tests.unit.launch.submit.test_requests import Asked

GOLDEN = Path(__file__).with_name("script.sh")

SITE = Site(
    defaults=Resources(partition="gpu", account="my-project", cpus_per_gpu=8, mem_per_gpu=32_768),
    modules=("python/3.12", "it's"),
    setup=("export OMP_NUM_THREADS=8",),
    sbatch={"comment": "paid by us", "exclusive": "", "mail-type": "END"},
)


def files_at(path: str) -> SubmissionDir:
    return SubmissionDir(LaunchDir(Path(path)).submissions / "0123456789abcdef")


def request_at(path: str) -> ArrayRequest:
    asked = Resources(nodes=2, gpus_per_node=4, time=720, max_parallel=2)
    points = [Asked(str(number), asked, LaunchDir(Path(path))) for number in range(3)]
    [request] = array_requests(points, SITE, 1001)
    return request


def test_the_script_is_the_one_written_down() -> None:
    path = "/scratch/it's my runs/sweeps/digits/20260101-000000"
    script = script_of(files_at(path), request_at(path), SITE, after="17")
    script = script.replace(sys.executable, "/python")
    assert script == GOLDEN.read_text(), (
        "sbatch would get another script; if that is meant, write it to script.sh beside this test"
    )


@pytest.mark.parametrize("tag", ["%j", "%A", "%x", "100%", "back\\slash", "two\nlines"])
def test_a_path_that_sbatch_would_change_is_refused(tag: str) -> None:
    path = f"/scratch/{tag}/sweeps/digits/20260101-000000"
    with pytest.raises(RefusedError, match="runs folder"):
        script_of(files_at(path), request_at(path), SITE)


def test_a_site_without_modules_runs_its_setup_alone() -> None:
    assert setup_lines(Site(setup=("a", "b"), gpu_flag=GpuFlag.GRES)) == ["a", "b"]
    assert setup_lines(Site()) == []
