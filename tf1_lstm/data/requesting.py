"""Makes one HTTP request in a thread of its own, so that waiting for a server has an end.

A socket's time limits are of silence: a server that sends a byte of its headers, or of the size of a
chunk, every half minute keeps them all. Here whoever waits says how long.
"""

import queue
import threading
from contextlib import suppress
from typing import Any, Callable, Iterator

import requests

CHUNK = 1 << 16
_AHEAD = 16  # chunks that may wait to be written


class SilentError(Exception):
    """Nothing came in the time that was given."""


class _LeftError(Exception):
    """Nobody waits for this request any more."""


class BoundedRequest:
    """A request on its way: first its response, then its bytes as they come.

    As a context it ends with the block: what still comes then is not read, and the connection is closed
    with the server's next byte.

    Args:
      ask: makes the request and returns the response with its headers, the body unread.
    """

    def __init__(self, ask: Callable[[], requests.Response]) -> None:
        self._ask = ask
        self._arrived: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._left = threading.Event()
        threading.Thread(target=self._work, daemon=True).start()

    def __enter__(self) -> "BoundedRequest":
        return self

    def __exit__(self, *unused: Any) -> None:
        self._left.set()

    def response(self, seconds: float) -> requests.Response:
        """The response; call it once, and first.

        Raises:
          SilentError: its headers were not there in time.
          Exception: whatever ``ask`` raises.
        """
        found: requests.Response = self._take(seconds)
        return found

    def chunk(self, seconds: float) -> bytes:
        """Bytes of the body as they were sent; none at its end. Raises as ``response`` does."""
        return bytes(self._take(seconds))

    def _take(self, seconds: float) -> Any:
        try:
            arrived = self._arrived.get(timeout=max(seconds, 0))
        except queue.Empty:
            raise SilentError from None
        if isinstance(arrived, BaseException):
            raise arrived
        return arrived

    def _work(self) -> None:
        try:
            with self._ask() as response:
                self._give(response)
                for chunk in _arriving(response):
                    self._give(chunk)
                self._give(b"")
        except _LeftError:
            pass
        except BaseException as error:
            with suppress(_LeftError):
                self._give(error)

    def _give(self, arrived: Any) -> None:
        while not self._left.is_set():
            try:
                self._arrived.put(arrived, timeout=0.2)
                return
            except queue.Full:
                pass
        raise _LeftError


def _arriving(response: requests.Response) -> Iterator[bytes]:
    """The bytes of a response as they come: urllib3's ``stream`` would wait for a whole chunk of them.

    A byte every half minute keeps every time limit of the socket, and fills a chunk in weeks.
    """
    source = response.raw._fp  # http.client's own response
    while True:
        chunk = source.read1(CHUNK)
        if not chunk:
            return
        yield chunk
