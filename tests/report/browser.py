"""Headless Chromium by its debugging pipe, with nothing but the standard library."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120.0  # seconds for an answer


def find_browser() -> Optional[str]:
    """The path of a Chromium, or None."""
    paths = [shutil.which(name) for name in NAMES]
    return next((path for path in paths if path), None)


class Seen(NamedTuple):
    """What a page was like.

    Attributes:
      width: of the whole page, in CSS pixels; the window's where it fits.
      messages: of the console and the log, and exceptions.
      text: what can be read.
      background: the colour of the page.
    """

    width: int
    messages: List[str]
    text: str
    background: str


class Browser:
    """One browser; end it with ``close``, or use it as a context manager."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place() -> None:  # in the child: the browser reads 3 and writes 4
            first, second = os.dup(to_browser), os.dup(from_browser)
            os.dup2(first, 3)
            os.dup2(second, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [program, *options],
            close_fds=False,
            preexec_fn=place,  # noqa: PLW1509 - no thread runs here
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest, self._number, self._events = b"", 0, []  # type: ignore[var-annotated]
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable", page=True)

    def open(self, file: Path, width: int, dark: bool = False, picture: Optional[Path] = None) -> Seen:
        """Open a page in a window of a width, and say what it is like."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", page=True, features=[scheme])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", page=True, **size)
        self._events.clear()
        self._ask("Page.navigate", page=True, url=file.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())
        found = Seen(
            self._value("document.documentElement.scrollWidth"),
            [message for event in self._events for message in _messages(event)],
            self._value("document.body.innerText"),
            self._value("getComputedStyle(document.body).backgroundColor"),
        )
        if picture is not None:
            shot = self._ask("Page.captureScreenshot", page=True, captureBeyondViewport=True)
            picture.write_bytes(base64.b64decode(shot["data"]))
        return found

    def _value(self, expression: str) -> Any:
        return self._ask("Runtime.evaluate", page=True, expression=expression)["result"]["value"]

    def _ask(self, method: str, page: bool = False, **parameters: Any) -> Dict[str, Any]:
        self._number += 1
        question = {"id": self._number, "method": method, "params": parameters}
        if page:
            question["sessionId"] = self._session
        os.write(self._write, json.dumps(question).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: Dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _next(self) -> Dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            assert time.monotonic() < until, "the browser does not answer"
            read = os.read(self._read, 1 << 20)
            assert read, "the browser ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        found: Dict[str, Any] = json.loads(line)
        return found if "id" in found else {"method": "", **found}

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()


def _messages(event: Dict[str, Any]) -> List[str]:
    parameters = event.get("params", {})
    if event["method"] == "Log.entryAdded":
        return [parameters["entry"]["text"]]
    if event["method"] == "Runtime.exceptionThrown":
        return [json.dumps(parameters["exceptionDetails"])]
    if event["method"] == "Runtime.consoleAPICalled":
        return [json.dumps(parameters["args"])]
    return []
