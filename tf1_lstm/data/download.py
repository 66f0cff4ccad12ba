"""Downloads one file from the first of several addresses that serves the right one.

What has arrived is kept (``tf1_lstm.data.parts``), so an interrupted download goes on where it
stopped, in this process or in a later one, at the same address or at another.
"""

import http.client
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, List, NamedTuple, Optional, Sequence, Set
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm.auto import tqdm

from tf1_lstm.core.text import printable
from tf1_lstm.data.parts import Note, PartialDownload, check_room, unwritable
from tf1_lstm.data.requesting import BoundedRequest, SilentError
from tf1_lstm.errors import InputError

_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP answers that may be others a little later
_MOST_REQUESTS = 100


class WrongContentError(InputError):
    """A file is there, but is not the one that is wanted."""


class NotDownloadedError(InputError):
    """No address gave the file; the message says of each why."""


class _PassingError(Exception):
    """One request failed, and the next one may not."""


class _UnreachableError(_PassingError):
    """Nobody answered at all."""


class _GiveUpError(Exception):
    """An address will not give the file."""


class Patience(NamedTuple):
    """How long to wait for an address.

    Attributes:
      connect: seconds for a connection.
      read: seconds without a byte.
      tries: requests in a row that bring nothing new, before the next address is tried.
      pause: seconds before the second request; they double up to ``longest_pause``.
      least_rate: bytes a second, below which an address is given up,
      window: over so many seconds; within as many an answer must begin.
      whole: seconds for the file from one address, all requests together.
    """

    connect: float = 10.0
    read: float = 30.0
    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 20.0
    least_rate: float = 1000.0
    window: float = 60.0
    whole: float = 6 * 3600.0


class Downloader:
    """Downloads files one after the other, and remembers which hosts do not answer.

    Args:
      progress: show a bar (with rate and time left) and remarks on standard error.
      patience: how long to wait.
    """

    def __init__(self, progress: bool = True, patience: Optional[Patience] = None) -> None:
        self._progress = progress
        self._patience = patience or Patience()
        self._silent_hosts: Set[str] = set()
        self._session = requests.Session()
        # A file is kept as it is served: a ".gz" must not be unpacked on the way.
        self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": "tf1-lstm"})

    def say(self, remark: str) -> None:
        """Print a remark to standard error, above the bar."""
        if self._progress:
            tqdm.write(remark, file=sys.stderr)

    def download(
        self, addresses: Sequence[str], target: Path, accept: Callable[[Path], None], limit: int, room: int
    ) -> str:
        """Download a file and have it accepted.

        Args:
          addresses: where it is served, tried in order (first the one that a part came from).
          target: beside it the part is kept; writing ``target`` itself is left to ``accept``.
          accept: takes the finished part, checks it and puts it in its place; it raises
            ``WrongContentError`` where the part is not the wanted file.
          limit: the most bytes that the file may have.
          room: bytes that ``accept`` will need on the disk beside the part.

        Returns:
          The address that served the file.

        Raises:
          NotDownloadedError: no address served it; a part that can be continued stays.
          InputError: the folder is not writable or the disk is full.
        """
        part = PartialDownload(target)
        note = part.note()
        reasons: List[str] = []
        for address in sorted(addresses, key=lambda address: note is None or address != note.address):
            try:
                self._from_address(address, part, accept, limit, room)
                return address
            except _GiveUpError as reason:
                reasons.append(f"{_host(address)}: {reason}")
                self.say(f"{target.name}: {reasons[-1]}")
        raise NotDownloadedError("; ".join(reasons) or "no address is known")

    def _from_address(
        self, address: str, part: PartialDownload, accept: Callable[[Path], None], limit: int, room: int
    ) -> None:
        if _host(address) in self._silent_hosts:
            raise _GiveUpError("does not answer")
        failures, most = 0, part.size()
        end = time.monotonic() + self._patience.whole
        for _ in range(_MOST_REQUESTS):
            try:
                pieced = self._request(address, part, limit, room, end)
                _accept(part, accept, pieced)
                return
            except _PassingError as error:
                failures = failures + 1 if part.size() <= most else 1
                most = max(most, part.size())
                self._despair(address, failures, error, begun=most > 0)
                self.say(f"{part.target.name}: {_host(address)}: {error}; trying again")
            time.sleep(min(self._patience.pause * 2 ** (failures - 1), self._patience.longest_pause))
        raise _GiveUpError(f"not whole after {_MOST_REQUESTS} requests")

    def _despair(self, address: str, failures: int, error: _PassingError, begun: bool) -> None:
        """Give an address up when it has failed often enough; sooner where nobody ever answered."""
        alone = isinstance(error, _UnreachableError)
        if failures >= (min(2, self._patience.tries) if alone and not begun else self._patience.tries):
            if alone:
                self._silent_hosts.add(_host(address))
            raise _GiveUpError(str(error)) from error

    def _request(self, address: str, part: PartialDownload, limit: int, room: int, end: float) -> bool:
        """Make the request that should finish the part; tell whether the part came in pieces."""
        note, have = part.note(), part.size()
        if note is None or not (note.total or (note.validator and note.address == address)):
            have = 0
        if note is not None and have and note.total == have:
            return True
        validator = note.validator if note is not None and note.address == address else None
        with self._asking(address, have, validator) as request:
            response = self._answer(request, address, end)
            start = _start_of(response, address, have, part)
            total = _total_of(response, start)
            if total is not None and total > limit:
                raise _GiveUpError(f"found {total:,} bytes, expected at most {limit:,}")
            check_room(part.path.parent, (total or limit) - start + room)
            if start == 0:
                part.begin(Note(address, total, _validator_of(response)))
            self._receive(request, part, start, total, limit, end)
        return start > 0

    def _asking(self, address: str, have: int, validator: Optional[str]) -> BoundedRequest:
        headers = {"Range": f"bytes={have}-"} if have else {}
        if have and validator:
            headers["If-Range"] = validator
        timeout = (self._patience.connect, self._patience.read)
        return BoundedRequest(
            lambda: self._session.get(address, headers=headers, stream=True, timeout=timeout)
        )

    def _answer(self, request: BoundedRequest, address: str, end: float) -> requests.Response:
        left = end - time.monotonic()
        try:
            return request.response(min(self._patience.window, left))
        except SilentError as error:
            if left < self._patience.window:
                raise _GiveUpError(f"not whole after {self._patience.whole:g} s") from error
            raise _GiveUpError(f"no whole answer within {self._patience.window:g} s") from error
        except requests.exceptions.ConnectTimeout as error:
            self._silent_hosts.add(_host(address))
            raise _GiveUpError(f"no connection within {self._patience.connect:g} s") from error
        except requests.exceptions.ReadTimeout as error:
            raise _PassingError(f"no answer within {self._patience.read:g} s") from error
        except requests.exceptions.ConnectionError as error:
            hung_up = bool(error.args) and isinstance(error.args[0], urllib3.exceptions.ProtocolError)
            raise (_PassingError if hung_up else _UnreachableError)(_reason(error)) from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise _GiveUpError(_reason(error)) from error

    def _receive(
        self,
        request: BoundedRequest,
        part: PartialDownload,
        start: int,
        total: Optional[int],
        limit: int,
        end: float,
    ) -> None:
        cut = ""
        pace = _Pace(self._patience, end)
        with _appending(part.path) as stream, self._bar(part, start, total) as bar:
            try:
                for chunk in pace.chunks(request):
                    _write(stream, chunk, part.path)
                    bar.update(len(chunk))
                    start += len(chunk)
                    if start > limit:
                        break
            except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
                cut = f" ({_reason(error)})"
        if start > limit:
            part.discard()
            raise _GiveUpError(f"found more bytes than the expected {limit:,}")
        if cut or (total is not None and start < total):
            raise _PassingError(
                f"broke off after {start:,} of {'?' if total is None else f'{total:,}'} bytes{cut}"
            )

    def _bar(self, part: PartialDownload, start: int, total: Optional[int]) -> Any:
        return tqdm(
            desc=part.target.name,
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            file=sys.stderr,
            disable=not self._progress,
            mininterval=0.2 if sys.stderr.isatty() else 10,  # in a log each refresh stays
        )


class _Pace:
    """Gives up an address that sends too slowly, or for too long."""

    def __init__(self, patience: Patience, end: float) -> None:
        self._patience, self._end = patience, end
        self._since, self._count = time.monotonic(), 0

    def chunks(self, request: BoundedRequest) -> Iterator[bytes]:
        """The body as it comes; raises _GiveUpError."""
        while True:
            until = min(self._end, self._since + self._patience.window)
            try:
                chunk = request.chunk(until - time.monotonic())
            except SilentError:
                self._check(0)
                continue
            if not chunk:
                return
            yield chunk
            self._check(len(chunk))

    def _check(self, count: int) -> None:
        now, patience = time.monotonic(), self._patience
        self._count += count
        if now > self._end:
            raise _GiveUpError(f"not whole after {patience.whole:g} s")
        if now - self._since >= patience.window:
            rate = self._count / (now - self._since)
            if rate < patience.least_rate:
                raise _GiveUpError(
                    f"sends {rate:,.0f} bytes a second, expected {patience.least_rate:,.0f} at least"
                )
            self._since, self._count = now, 0


def _accept(part: PartialDownload, accept: Callable[[Path], None], pieced: bool) -> None:
    try:
        accept(part.path)
    except WrongContentError as error:
        part.discard()
        if pieced:  # the pieces may not belong together, so the whole is asked for once more
            raise _PassingError(f"the pieces do not fit ({error})") from error
        raise _GiveUpError(str(error)) from error
    part.discard()


def _start_of(response: requests.Response, address: str, have: int, part: PartialDownload) -> int:
    """Tell at which byte of the file an answer begins."""
    status, note = response.status_code, part.note()
    if status == 200:
        return 0
    if have and note is not None and status in (206, 416):
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        same_size = given is not None and (given.group(2) == str(note.total) or note.total is None)
        same_version = note.address != address or _validator_of(response) in (None, note.validator)
        if status == 206 and given is not None and int(given.group(1)) == have and same_size and same_version:
            return have
        part.discard()
        raise _PassingError("serves another file than the one that was begun")
    told = printable(f"HTTP {status} {response.reason}", 100)
    raise (_PassingError if status in _AGAIN else _GiveUpError)(told)


def _total_of(response: requests.Response, start: int) -> Optional[int]:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None


def _validator_of(response: requests.Response) -> Optional[str]:
    """Give what names this version of the file byte by byte; a weak ETag does not."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


@contextmanager
def _appending(path: Path) -> Iterator[BinaryIO]:
    try:
        with open(str(path), "ab") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise unwritable(path, error) from error


def _write(stream: BinaryIO, chunk: bytes, path: Path) -> None:
    try:
        stream.write(chunk)
    except OSError as error:
        raise unwritable(path, error) from error


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _reason(error: Exception) -> str:
    """Put the nested messages of requests and urllib3 into a few words."""
    text = str(error)
    system = re.search(r"\[Errno -?\d+\] ([^'\")]+)", text)
    if system:
        return printable(system.group(1), 150)
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        return "the server's certificate is not accepted"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "no more bytes came"
    return printable((text.splitlines() or [type(error).__name__])[0], 150)
