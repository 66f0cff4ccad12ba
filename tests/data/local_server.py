"""A web server on 127.0.0.1 that can be told, request by request, to misbehave."""

import re
import threading
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from tf1_lstm.data.download import Patience

HURRY = Patience(connect=2, read=0.5, tries=3, pause=0.01, longest_pause=0.02)


class Request(NamedTuple):
    path: str
    headers: Dict[str, str]


Behaviour = Callable[["_Handler"], None]


class LocalServer:
    """Serves ``files`` by path; each of ``behaviours`` is used up by one request.

    Attributes:
      files: content by path without the leading slash.
      tags: ETag by path; without one, none is sent.
      ranges: whether Range is understood.
      dated: whether Last-Modified is sent.
      requests: what was asked for, in order.
    """

    def __init__(self) -> None:
        self.files: Dict[str, bytes] = {}
        self.tags: Dict[str, str] = {}
        self.ranges = True
        self.dated = False
        self.behaviours: List[Behaviour] = []
        self.requests: List[Request] = []
        self.stopped = threading.Event()
        owner = self

        class Handler(_Handler):
            server_data = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, name: str, content: bytes, tag: Optional[str] = '"one"') -> str:
        """Serve a file, and give its address."""
        self.files[name] = content
        if tag is not None:
            self.tags[name] = tag
        return f"{self.address}/{name}"

    def ranges_asked(self) -> List[Optional[str]]:
        return [request.headers.get("Range") for request in self.requests]

    def stop(self) -> None:
        if not self.stopped.is_set():
            self.stopped.set()
            self._server.shutdown()
            self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_data: Any = None

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        data = self.server_data
        data.requests.append(Request(self.path, dict(self.headers.items())))
        behave = data.behaviours.pop(0) if data.behaviours else well
        with suppress(BrokenPipeError, ConnectionResetError):
            behave(self)

    @property
    def name(self) -> str:
        return self.path.lstrip("/")

    def begin(self) -> bytes:
        """Send the headers that a good server would, and give the bytes that should follow."""
        data = self.server_data
        content = data.files.get(self.name)
        if content is None:
            self.send_error(404)
            return b""
        tag, start = data.tags.get(self.name), 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", tag) == tag
        if asked and data.ranges and same:
            start = int(asked.group(1))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return b""
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if tag:
            self.send_header("ETag", tag)
        if data.dated:
            self.send_header("Last-Modified", formatdate(0, usegmt=True))
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        return bytes(content[start:])


def well(handler: _Handler) -> None:
    handler.wfile.write(handler.begin())


def breaks_off(after: int) -> Behaviour:
    """Hang up after some bytes of the answer."""
    return lambda handler: (handler.wfile.write(handler.begin()[:after]), None)[1]


def stalls(after: int) -> Behaviour:
    """Send some bytes of the answer, and then nothing more."""

    def behave(handler: _Handler) -> None:
        handler.wfile.write(handler.begin()[:after])
        handler.wfile.flush()
        handler.server_data.stopped.wait(20)

    return behave


def drips(count: int) -> Behaviour:
    """Send that many bytes of the answer at a time, with a pause that no time limit of a socket notices."""

    def behave(handler: _Handler) -> None:
        content = handler.begin()
        for first in range(0, len(content), count):
            handler.wfile.write(content[first : first + count])
            handler.wfile.flush()
            if handler.server_data.stopped.wait(0.05):
                return

    return behave


def drips_before(start: bytes, endless: bytes) -> Behaviour:
    """Send ``start``, and then one byte after the other of what has no end: headers, or a chunk's size."""

    def behave(handler: _Handler) -> None:
        handler.wfile.write(start)
        while not handler.server_data.stopped.wait(0.05):
            handler.wfile.write(endless)
            handler.wfile.flush()

    return behave


def hangs_up(handler: _Handler) -> None:
    """Close the connection without an answer."""


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Send an answer of one's own; ``Content_Length="no"`` leaves the length out."""

    def behave(handler: _Handler) -> None:
        handler.send_response(status)
        fields = {"Content_Length": str(len(body)), **headers}
        for name, value in fields.items():
            if value != "no":
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave
