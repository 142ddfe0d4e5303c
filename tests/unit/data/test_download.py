"""Downloads through the real torchvision, from a server in this process."""

import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from pcm.data import download
from pcm.data.digits import BUNDLED, load_digits
from pcm.data.download import ensure_files

from .samples import write_mnist


@dataclass
class Server:
    """Serves `files` by name; anything else is not found."""

    url: str
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    write_mnist(tmp_path / "origin", train=12, test=10)
    files = {
        f"{path.name}.gz": gzip.compress(path.read_bytes())
        for path in (tmp_path / "origin/MNIST/raw").iterdir()
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.asked.append(self.path.rpartition("/")[2])
            content = serving.files.get(serving.asked[-1])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        serving = Server(f"http://127.0.0.1:{http.server_port}/", files)
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        checksums = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
        monkeypatch.setattr(MNIST, "mirrors", [serving.url])
        monkeypatch.setattr(MNIST, "resources", list(checksums.items()))
        monkeypatch.setenv("no_proxy", "*")
        yield serving
        http.shutdown()


def left_behind(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.iterdir() if path.name != ".mnist.lock")


def test_the_files_are_fetched_once(server: Server, data_dir: Path) -> None:
    assert ensure_files(data_dir / "new") is None
    assert left_behind(data_dir / "new") == ["MNIST"]
    assert len(load_digits(True, data_dir / "new")) == 12
    assert len(load_digits(False, data_dir / "new")) == 10
    asked = len(server.asked)
    assert ensure_files(data_dir / "new") is None
    assert len(server.asked) == asked


def test_several_at_once_fetch_them_once(server: Server, data_dir: Path) -> None:
    ensure_files(data_dir / "one")
    once = sorted(server.asked)
    server.asked.clear()
    with ThreadPoolExecutor(4) as pool:
        reasons = list(pool.map(ensure_files, [data_dir / "several"] * 4))
    assert reasons == [None] * 4
    assert sorted(server.asked) == once


def test_files_that_are_there_are_left_alone(server: Server, data_dir: Path) -> None:
    write_mnist(data_dir, train=3, test=2, compressed=True)
    assert ensure_files(data_dir) is None
    assert server.asked == []
    assert len(load_digits(True, data_dir)) == 3


def test_an_empty_folder_is_filled(server: Server, data_dir: Path) -> None:
    (data_dir / "MNIST" / "raw").mkdir(parents=True)
    assert ensure_files(data_dir) is None
    assert len(load_digits(True, data_dir)) == 12


@pytest.mark.parametrize("content", [None, b"<html>log in first</html>"])
def test_a_failed_download_leaves_nothing_behind(
    server: Server, data_dir: Path, content: bytes | None
) -> None:
    for name in list(server.files)[2:]:
        del server.files[name]
        if content is not None:
            server.files[name] = content
    reason = ensure_files(data_dir)
    assert reason is not None
    assert reason.startswith("the download failed")
    assert "\n" not in reason
    assert left_behind(data_dir) == []
    assert load_digits(True, data_dir).source == BUNDLED


def test_without_network_the_reason_is_given(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{port}/"])
    assert ensure_files(data_dir) == "no server that has the files can be reached"
    assert left_behind(data_dir) == []


def test_a_server_that_never_answers_does_not_hold_us_up(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PROBE_SECONDS", 0.2)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(MNIST, "mirrors", [url])
        assert ensure_files(data_dir) == "no server that has the files can be reached"


def test_a_folder_that_cannot_be_written_is_named(data_dir: Path) -> None:
    (data_dir / "file").write_text("in the way")
    reason = ensure_files(data_dir / "file" / "data")
    assert reason is not None
    assert str(data_dir / "file") in reason
