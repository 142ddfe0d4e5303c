"""A webhook that is told, and what a stranger on the machine sees meanwhile."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

SECRET = "s3cret-part-of-the-address"


class Listener:
    """Answers with `status`.

    Args:
        look: called while the sender waits for the answer.

    Attributes:
        bodies: what it was told.
        address: with the secret.
    """

    def __init__(self, look: Callable[[], None] = lambda: None) -> None:
        self.status = 200
        self.bodies: list[Any] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                look()
                listener.bodies.append(json.loads(body))
                self.send_response(listener.status)
                if listener.status in {301, 302, 303}:
                    self.send_header("Location", "/login")
                self.end_headers()

            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/{SECRET}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


def command_lines() -> str:
    """Those of all processes, as `ps` shows them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # It has ended.
    return "\n".join(lines)
