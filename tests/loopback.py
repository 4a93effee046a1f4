"""Servers on this machine, each a process or a thread that ends with the test."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pyarrow import fs

KEY: Final = "AKIAWHOISTHIS0000000"
SECRET: Final = "wJalrXUtnSECRETofNOBODYatALL/bPxRfiCY"

# Ends when its standard input does, so also when whoever started it is killed.
_S3: Final = """
import os, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(server.port, flush=True)
server.serve_forever()
"""


@dataclass
class Store:
    """A server that speaks S3.

    Attributes
    ----------
    url : str
        Its address, for ``AWS_ENDPOINT_URL``.
    """

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process that reads from it needs."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put(self, bucket: str, files: dict[str, bytes]) -> None:
        """Store files."""
        store = fs.S3FileSystem(
            access_key=KEY,
            secret_key=SECRET,
            region="us-east-1",
            endpoint_override=self.url,
            allow_bucket_creation=True,
            background_writes=False,
        )
        store.create_dir(bucket)
        for name, data in files.items():
            with store.open_output_stream(f"{bucket}/{name}", compression=None) as stream:
                stream.write(data)

    def put_tree(self, bucket: str, folder: Path) -> None:
        """Store all files of a folder."""
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        self.put(bucket, {name: path.read_bytes() for name, path in sorted(files.items())})

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody in for a while: keys are checked, and there are no users."""
        self._tell("0")
        try:
            yield
        finally:
            self._tell("inf")

    def _tell(self, count: str) -> None:
        kind = {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"{self.url}/moto-api/reset-auth", count.encode(), kind)
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def s3_server() -> Iterator[Store]:
    """A server that speaks S3, in a process of its own on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-c", _S3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Store(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.kill()
        process.communicate()


@dataclass
class Site:
    """A server of files in a folder.

    Attributes
    ----------
    asked : list of str
        Method, path and range of each request so far.
    """

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def web_server(folder: Path, *, gives_parts: bool = True, secret: str = "") -> Iterator[Site]:
    """A server of files; without `gives_parts` only whole ones, with `secret` only to who knows it."""
    site = Site("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            asked = self.headers.get("Range")
            site.asked.append(f"{self.command} {self.path} {asked or ''}".strip())
            name, _, query = self.path.partition("?")
            path = folder / name.lstrip("/")
            if secret and secret not in query:
                self.send_error(403)
            elif not path.is_file():
                self.send_error(404)
            else:
                data = path.read_bytes()
                self._send(data, asked if gives_parts else None, with_body=with_body)

        def _send(self, data: bytes, asked: str | None, *, with_body: bool) -> None:
            part = data
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                part = data[int(first) : int(last) + 1 if last else None]
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
            if gives_parts:
                self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if with_body:
                with suppress(OSError):  # who asked may have read enough
                    self.wfile.write(part)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of one that takes connections and never says a word."""
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(32)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
