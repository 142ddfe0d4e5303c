from pathlib import Path

import pytest

from launch.site import GpuFlag, Mount, Resources, Site, load_site, sbatch_parameters
from pcm.errors import ConfigError

SITES = Path(__file__).parents[4] / "config" / "sites"
ASKED = Resources(nodes=2, gpus_per_node=4)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my 'cluster'.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(SITES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_sites_that_come_along_load(path: Path) -> None:
    assert load_site(path).name == path.stem


def test_everything_a_site_can_say(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
name: here
defaults: {partition: gpu, time: 2h, mem_per_gpu: 10G}
gpu_flag: gpus-per-node
modules: [python, apptainer]
setup: ["export A='b c'"]
binds: [/scratch]
image_folder: /images
mount: unsquash
max_array_size: 1001
accounting: false
sbatch: {comment: hello, exclusive: 1}
""",
    )
    assert load_site(path) == Site(
        name="here",
        defaults=Resources(partition="gpu", time=120, mem_per_gpu=10240),
        gpu_flag=GpuFlag.GPUS_PER_NODE,
        modules=("python", "apptainer"),
        setup=("export A='b c'",),
        binds=("/scratch",),
        image_folder=Path("/images"),
        mount=Mount.UNSQUASH,
        max_array_size=1001,
        accounting=False,
        sbatch={"comment": "hello", "exclusive": 1},
    )


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("gpu_flag: gpus\n", "unknown GPU flag", 1),
        ("setup: []\nmount: nfs\n", "unknown way to mount", 2),
        ("modules: python\n", "fits no alternative|wrong type", 1),
        ("partition: gpu\n", "unknown key 'partition'", 1),
        ("defaults:\n  partition: gpu\n  time: soon\n", "not understood", 3),
        ("defaults:\n  nodez: 2\n", "unknown key 'nodez'", 2),
        ("defaults:\n  qos: a\n  gpus_per_node: 4\n", "can't decide the number of ranks", 3),
        ("sbatch:\n  mem: 0\n  array: 0-9\n", "which task is which experiment", 3),
        ("sbatch: {ntasks_per_node: 4}\n", "number of ranks", 1),
        ("sbatch: {Output: /tmp/x}\n", "pcm logs", 1),
        ("sbatch: {no-requeue: ''}\n", "`retries` and `retry`", 1),
        ("memory: by-core\n", "unknown way to ask", 1),
        ("memory: none\ndefaults: {mem: 1G}\n", "no effect beside `memory: none`", 1),
        ("sbatch:\n  p: gpu\n", "a short option of sbatch", 2),
        ("sbatch:\n  -t: 5\n", "a short option of sbatch", 2),
        ("sbatch: {time: soon}\n", "not understood", 1),
        ("sbatch: {gres: 'gpu:4'}\n", "is ours", 1),
        ("defaults:\n  time: 1h\nsbatch: {time: 5}\n", "the same is said under `sbatch`", 2),
        ("setup: []\nmodules: [3.10]\n", "in quotes: without them 3.10 is the number 3.1", 2),
        ("# nothing\n# yet\n", "nothing but comments", 1),
        ("max_array_size: 0\n", "out of range", 1),
        ("accounting: 'no'\n", "fits no alternative|wrong type", 1),
    ],
)
def test_mistakes_have_a_place(tmp_path: Path, text: str, problem: str, line: int) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_site(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (str(path), line)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = """
defaults: {time: an age, nodes: 2, tasks_per_node: many, mem: 3G}
mount: nfs
memory: none
sbatch: {licenses: [x], array: "1", exclude: n1}
seutp: []
"""
    with pytest.raises(ConfigError) as caught:
        load_site(write(tmp_path, text))
    faults = caught.value.faults
    assert all(fault.file for fault in faults)
    assert [(fault.key, fault.line) for fault in faults] == [
        ("defaults.tasks_per_node", 2),
        ("defaults.time", 2),
        ("defaults.nodes", 2),
        ("mount", 3),
        ("memory", 4),
        ("sbatch.licenses", 5),
        ("sbatch.array", 5),
        ("seutp", 6),
    ]


def test_gpus_as_a_generic_resource() -> None:
    parameters = sbatch_parameters(ASKED, Site())
    assert parameters == {"nodes": 2, "ntasks_per_node": 4, "gres": "gpu:4"}


def test_gpus_by_their_own_option() -> None:
    parameters = sbatch_parameters(ASKED, Site(gpu_flag=GpuFlag.GPUS_PER_NODE))
    assert parameters == {"nodes": 2, "ntasks_per_node": 4, "gpus_per_node": "4"}


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        (GpuFlag.GRES, {"gres": "gpu:a100:4"}),
        (GpuFlag.GPUS_PER_NODE, {"gpus_per_node": "a100:4"}),
    ],
)
def test_typed_gpus(flag: GpuFlag, expected: dict[str, str]) -> None:
    site = Site(gpu_flag=flag, defaults=Resources(gpu_type="a100"))
    assert expected.items() <= sbatch_parameters(ASKED, site).items()


def test_a_grids_own_gpu_type_wins() -> None:
    site = Site(defaults=Resources(gpu_type="a100"))
    asked = Resources(gpus_per_node=1, gpu_type="h100")
    assert sbatch_parameters(asked, site)["gres"] == "gpu:h100:1"


def test_without_gpus_none_are_asked_for() -> None:
    site = Site(defaults=Resources(gpu_type="a100", cpus_per_gpu=8, mem_per_gpu=1024))
    asked = Resources(nodes=1, tasks_per_node=2, cpus_per_task=3, mem=500)
    assert sbatch_parameters(asked, site) == {
        "nodes": 1,
        "ntasks_per_node": 2,
        "cpus_per_task": 3,
        "mem": "500M",
    }


def test_memory_is_asked_for_by_the_node() -> None:
    site = Site(defaults=Resources(mem_per_gpu=1024, cpus_per_gpu=6, time=30, account="me"))
    assert sbatch_parameters(ASKED, site) == {
        "account": "me",
        "nodes": 2,
        "ntasks_per_node": 4,
        "cpus_per_task": 6,
        "mem": "4096M",
        "time": 30,
        "gres": "gpu:4",
    }


def test_a_sites_own_options_are_passed_on() -> None:
    site = Site(sbatch={"comment": "x", "mem": 0})
    parameters = sbatch_parameters(Resources(), site)
    assert (parameters["comment"], parameters["mem"]) == ("x", 0)
