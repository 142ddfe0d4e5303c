"""The command line of an image, as text: nothing is run here."""

import csv
from pathlib import Path

import pytest

from launch.container import (
    Container,
    apptainer_environment,
    container_of,
    exec_command,
    wanted_container,
)
from launch.container.checks import require_bindable
from launch.container.command import distinct
from launch.container.settings import Bind, parse_bind, with_code, with_run_dir, with_script
from launch.site import Mount, Site
from pcm.errors import ConfigError, RefusedError
from pcm.run_dir.records import ScriptRecord

HOSTILE = [
    "/with space",
    "/with,comma",
    "/with:colon",
    "/with\"quote'",
    "/with=equals,and,\"all\": 'of' $HOME `id` ; é \\ * it",
    "/trailing space ",
    "/-dash",
    "/--nv --bind",
    "/$HOME",
    "/$(id) `id` ${IFS}",
    "/back\\slash\\n \\,",
    "/=equals=",
    "/source=x,ro",
    '/"quoted, whole"',
    "/emoji 🙂 \u202eturned",
    "/数据",
]


def test_the_whole_command() -> None:
    container = Container(
        image=Path("/images/my image.sif"),
        binds=(Bind("/data", "/data", writable=False), Bind("/a b", "/inside, too")),
    )
    words = exec_command(
        container, ["python", "-m", "pcm", "/runs/it's"], folder=Path("/runs/it's"), nv=True
    )
    assert words == [
        *("apptainer", "--quiet", "exec", "--cleanenv", "--no-eval", "--no-home"),
        *("--no-mount", "cwd", "--pwd", "/runs/it's", "--nv"),
        *("--mount", "type=bind,source=/data,destination=/data,ro"),
        *("--mount", 'type=bind,source=/a b,"destination=/inside, too"'),
        *("/images/my image.sif", "python", "-m", "pcm", "/runs/it's"),
    ]


def test_a_place_is_bound_once_and_its_first_bind_counts() -> None:
    read_only = Bind("/data/a b", "/data/a b", writable=False)
    once = (read_only, Bind("/data", "/data"), Bind("/data", "/elsewhere"), Bind("/x", "/data/y"))
    again = (Bind("/data/a b/", "/data//a b"), Bind("/data", "/data"), Bind("/data/./", "/data"))
    assert distinct([*once, *again]) == [*once]
    # Two places at one target are for Apptainer to warn of.
    assert distinct([Bind("/a", "/c"), Bind("/b", "/c")]) == [Bind("/a", "/c"), Bind("/b", "/c")]
    folder = ScriptRecord(folder="/data/p/q", shared="/data/p")
    container = Container(Path("/x.sif"), binds=(parse_bind("/data/p:/data/p:ro"),))
    words = exec_command(with_script(container, folder), ["true"])
    assert [words[place + 1] for place, word in enumerate(words) if word == "--mount"] == [
        "type=bind,source=/data/p,destination=/data/p,ro"
    ]


@pytest.mark.parametrize("path", HOSTILE)
def test_any_path_stays_one_field(path: str) -> None:
    container = Container(Path(f"{path}/x.sif"), binds=(Bind(path, path),))
    words = exec_command(container, ["true", path])
    [line] = csv.reader([words[words.index("--mount") + 1]], strict=True)
    assert line == ["type=bind", f"source={path}", f"destination={path}"]
    assert words[-3:] == [f"{path}/x.sif", "true", path]


@pytest.mark.parametrize(
    ("nv", "has_gpu", "is_given"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
)
def test_the_driver_comes_in_where_there_is_a_gpu(
    nv: bool | None, has_gpu: bool, is_given: bool
) -> None:
    words = exec_command(Container(Path("/x.sif"), nv=nv), ["true"], nv=has_gpu)
    assert ("--nv" in words) is is_given


def test_an_image_may_be_unpacked_at_each_start() -> None:
    assert "--unsquash" in exec_command(Container(Path("/x.sif"), mount=Mount.UNSQUASH), ["true"])
    assert "--unsquash" not in exec_command(Container(Path("/x.sif"), mount=Mount.FUSE), ["true"])


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("/data", Bind("/data", "/data")),
        ("/data:/inside", Bind("/data", "/inside")),
        ("/data:/inside:ro", Bind("/data", "/inside", writable=False)),
        ("/data:/inside:rw", Bind("/data", "/inside")),
        ("/a b,c'd\"e:/é $HOME", Bind("/a b,c'd\"e", "/é $HOME")),
        ("/-a=b:/--c:ro", Bind("/-a=b", "/--c", writable=False)),
        ("/a\\b:/c\\", Bind("/a\\b", "/c\\")),
        ("/ro:/rw:ro", Bind("/ro", "/rw", writable=False)),
    ],
)
def test_binds_as_people_write_them(text: str, bind: Bind) -> None:
    assert parse_bind(text) == bind


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "data", "data:/data", "/data:data", "/data:ro", "/data:/inside:rx", "/a:b"),
        *("/a:/b:/c", "/a:/b:ro:ro", "/a\n/b", "/a:/", "/a:/inside/../etc", "/a\x00"),
        *("/a:", ":/b", "/a::", "/a:/b:", "/a::ro", "/a:ro:/b", "/a:ro:ro", "/a:/b:RO"),
        *("/a:/b:ro,rw", "/a:/b\n:ro", "/a\\:/b:x", "/a\r", "/a\t", "/a\x7f"),
        *(" /a", "-/a", "$HOME/a", "/a:$HOME"),
    ],
)
def test_what_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a bind"):
        parse_bind(text)


def test_a_bind_may_begin_with_ones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/my é")
    assert parse_bind("~/data:/data") == Bind("/home/my é/data", "/data")


def test_the_run_directory_is_there_and_may_be_written() -> None:
    image, checkpoint = Container(Path("/x.sif")), Path("/other/b/best.ckpt")
    container = with_run_dir(image, Path("/runs/a"), checkpoint)
    assert container.binds == (
        Bind("/other/b", "/other/b", writable=False),
        Bind("/runs/a", "/runs/a"),
    )


@pytest.mark.parametrize("folder", ["relative", "./x", "~/x", "", "-x", " /x"])
@pytest.mark.parametrize("key", ["scratch", "stage"])
def test_a_folder_on_the_node_is_absolute(key: str, folder: str) -> None:
    with pytest.raises(ConfigError, match=f"container.{key}"):
        wanted_container({"image": "x.sif", key: folder}, Site())


def test_shipped_code_is_looked_into_first() -> None:
    container = with_code(Container(Path("/x.sif"), environment={"A": "1"}), Path("/a:b, c"))
    assert container.environment == {"A": "1", "PYTHONPATH": "/opt/pcm/snapshot"}
    words = exec_command(container, ["true"])
    mount = words[words.index("--mount") + 1]
    assert mount == 'type=bind,"source=/a:b, c",destination=/opt/pcm/snapshot,ro'


@pytest.mark.parametrize("folder", ["/new\nline", "/bell\a", "/tab\t"])
def test_a_folder_that_apptainer_would_misread_is_refused(folder: str) -> None:
    with pytest.raises(RefusedError, match="control character"):
        require_bindable(Path("/fine"), None, Path(folder))


def test_the_grid_wins_over_the_site_and_both_bind() -> None:
    site = Site(
        binds=("/scratch",),
        mount=Mount.UNSQUASH,
        container={"image": "site.sif", "nv": False, "environment": {"A": "1", "B": "2"}},
    )
    container = wanted_container({"binds": ["/data:/d:ro"], "environment": {"B": None}}, site)
    assert container == Container(
        image=Path("site.sif"),
        binds=(Bind("/scratch", "/scratch"), Bind("/data", "/d", writable=False)),
        nv=False,
        environment={"A": "1", "B": None},
        mount=Mount.UNSQUASH,
    )
    asked = wanted_container({"image": "mine.sif", "nv": "auto"}, site)
    assert asked is not None
    assert asked.image == Path("mine.sif")
    assert asked.nv is None


def test_without_an_image_there_is_no_container() -> None:
    assert wanted_container({}, Site(binds=("/scratch",))) is None
    assert wanted_container({"binds": ["/data"]}, Site()) is None


def test_everything_wrong_is_told_at_once_and_no_secret_is_shown() -> None:
    asked = {
        "image": "x\n.sif",
        "binds": ["/data:ro", "fine"],
        "environment": {"HF_TOKEN": "s3cret", "a-b": "1", "OK": "1"},
    }
    with pytest.raises(ConfigError) as caught:
        wanted_container(asked, Site())
    assert len(caught.value.faults) == 5
    assert "HF_TOKEN" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_record_holds_everything() -> None:
    container = Container(
        Path("/x.sif"),
        sha256="ab",
        size=3,
        modified=4,
        binds=(Bind("/a", "/b", writable=False),),
        nv=True,
        scratch="$TMPDIR",
        environment={"A": None},
        mount=Mount.SANDBOX,
        stage="/local",
        checked=True,
    )
    assert container_of(container.record()) == container
    assert container_of(None) is None


def test_a_clean_environment_goes_in() -> None:
    variables = {
        "RANK": "1",
        "OMP_NUM_THREADS": "2",
        "https_proxy": "http://proxy",
        "NEPTUNE_API_TOKEN": "s3cret",
        "NCCL_DEBUG": "INFO",
        "PCM_RUNS_DIR": "/runs",
        "PCM_GPUS_ASKED": "2",
        "PYTHONPATH": "/host",
        "LD_LIBRARY_PATH": "/host",
        "CONDA_PREFIX": "/host",
        "HOME": "/home/me",
        "MY_OWN": "v",
        "APPTAINERENV_PYTHONPATH": "/host",
        "APPTAINERENV_MINE": "stays",
    }
    result = apptainer_environment(variables, {"MY_OWN": None, "MISSING": None, "SET": "x"})
    inside = {k: v for k, v in result.items() if k.startswith("APPTAINERENV_")}
    assert inside == {
        "APPTAINERENV_MINE": "stays",
        "APPTAINERENV_RANK": "1",
        "APPTAINERENV_OMP_NUM_THREADS": "2",
        "APPTAINERENV_https_proxy": "http://proxy",
        "APPTAINERENV_NEPTUNE_API_TOKEN": "s3cret",
        "APPTAINERENV_NCCL_DEBUG": "INFO",
        "APPTAINERENV_PCM_GPUS_ASKED": "2",
        "APPTAINERENV_PYTHONNOUSERSITE": "1",
        "APPTAINERENV_PYTHONSAFEPATH": "1",
        "APPTAINERENV_PYTHONUTF8": "1",
        "APPTAINERENV_MY_OWN": "v",
        "APPTAINERENV_SET": "x",
    }
    # Apptainer itself still finds what it needs.
    assert result["HOME"] == "/home/me"


def test_no_secret_is_in_a_command() -> None:
    container = Container(Path("/x.sif"), environment={"HF_TOKEN": None})
    assert not any("TOKEN" in word for word in exec_command(container, ["true"]))
