"""Downloads reach their end whatever the server does, and never keep a wrong file."""

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest

from tests.data.local_server import (
    HURRY,
    LocalServer,
    answers,
    breaks_off,
    drips,
    drips_before,
    hangs_up,
    stalls,
)
from tf1_lstm.data import download, parts
from tf1_lstm.data.download import Downloader, NotDownloadedError, WrongContentError
from tf1_lstm.data.parts import PartialDownload, locked
from tf1_lstm.errors import InputError

pytestmark = pytest.mark.usefixtures("only_this_machine")

CONTENT = random.Random(3).getrandbits(8 * 300_000).to_bytes(300_000, "little")
OTHER = CONTENT[::-1]
ROOT = Path(__file__).parents[2]


class Shelf:
    """A target which accepts ``CONTENT`` only."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "file.bin"
        self.part = PartialDownload(self.target)

    def accept(self, path: Path) -> None:
        found = path.read_bytes()
        if found != CONTENT:
            raise WrongContentError(f"{path}: found {len(found)} wrong bytes; expected the right ones")
        os.replace(str(path), str(self.target))

    def fill(self, *addresses: str, limit: int = 1 << 20, downloader: Optional[Downloader] = None) -> str:
        loader = downloader or Downloader(progress=False, patience=HURRY)
        return loader.download(addresses, self.target, self.accept, limit, room=0)

    def is_clean(self) -> bool:
        return (
            sorted(os.listdir(str(self.target.parent))) == ["file.bin"]
            and self.target.read_bytes() == CONTENT
        )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_file_arrives_and_nothing_else_is_left(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    assert shelf.fill(address) == address
    assert shelf.is_clean()
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_progress_goes_to_standard_error(server: LocalServer, shelf: Shelf, capsys: Any) -> None:
    shelf.fill(server.serve("a", CONTENT), downloader=Downloader(True, HURRY))
    out, err = capsys.readouterr()
    assert out == ""
    assert "file.bin: 100%" in err
    assert "293k/293k" in err


def test_no_progress_is_shown_where_none_is_wanted(server: LocalServer, shelf: Shelf, capsys: Any) -> None:
    server.behaviours = [breaks_off(100)]
    shelf.fill(server.serve("a", CONTENT))
    assert capsys.readouterr() == ("", "")


def test_a_broken_download_goes_on_where_it_stopped(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [breaks_off(200_000), breaks_off(50_000)]
    shelf.fill(server.serve("a", CONTENT))
    assert shelf.is_clean()
    starts = [0 if asked is None else int(asked[len("bytes=") : -1]) for asked in server.ranges_asked()]
    assert starts[0] == 0 < starts[1] <= 200_000 < starts[2] <= 250_000
    assert [request.headers.get("If-Range") for request in server.requests] == [None, '"one"', '"one"']


def test_a_server_that_breaks_off_often_is_borne_as_long_as_bytes_come(
    server: LocalServer, shelf: Shelf
) -> None:
    server.behaviours = [breaks_off(40_000) for _ in range(7)]
    shelf.fill(server.serve("a", CONTENT))
    assert shelf.is_clean()


def test_a_later_run_goes_on_where_an_earlier_one_stopped(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    server.behaviours = [breaks_off(150_000)] + [breaks_off(0)] * 5
    with pytest.raises(NotDownloadedError, match="broke off after"):
        shelf.fill(address)
    arrived = shelf.part.size()
    assert 0 < arrived <= 150_000
    server.behaviours, server.requests = [], []
    shelf.fill(address)
    assert server.ranges_asked() == [f"bytes={arrived}-"]
    assert shelf.is_clean()


def test_a_part_that_is_whole_is_not_asked_for_again(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    shelf.part.begin(parts.Note(address, len(CONTENT), '"one"'))
    shelf.part.path.write_bytes(CONTENT)
    shelf.fill(address)
    assert server.requests == []
    assert shelf.is_clean()


def test_a_server_that_ignores_ranges_is_read_from_the_start(server: LocalServer, shelf: Shelf) -> None:
    server.ranges = False
    server.behaviours = [breaks_off(200_000)]
    shelf.fill(server.serve("a", CONTENT))
    assert server.ranges_asked()[1] is not None
    assert shelf.is_clean()


def test_a_file_that_changed_meanwhile_is_read_from_the_start(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    shelf.part.begin(parts.Note(address, len(OTHER), '"zero"'))
    shelf.part.path.write_bytes(OTHER[:100_000])
    shelf.fill(address)
    assert shelf.is_clean()
    assert len(server.requests) == 1


def test_a_part_of_another_version_is_not_continued(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    shelf.part.begin(parts.Note(address, len(OTHER), '"zero"'))
    shelf.part.path.write_bytes(OTHER[:100_000])
    # It answers 206 although the version is another one.
    rest = {"Content_Range": f"bytes 100000-{len(CONTENT) - 1}/{len(CONTENT)}", "ETag": '"one"'}
    server.behaviours = [answers(206, CONTENT[100_000:], **rest)]
    shelf.fill(address)
    assert shelf.is_clean()
    assert server.ranges_asked() == ["bytes=100000-", None]


@pytest.mark.parametrize("given", ["bytes 5-299999/300000", "bytes 100000-299999/400000", "nonsense", ""])
def test_a_range_that_was_not_asked_for_is_not_used(server: LocalServer, shelf: Shelf, given: str) -> None:
    address = server.serve("a", CONTENT)
    server.behaviours = [breaks_off(100_000), answers(206, CONTENT[5:], Content_Range=given)]
    shelf.fill(address)
    assert shelf.is_clean()


def test_a_part_longer_than_the_file_is_begun_anew(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    shelf.part.begin(parts.Note(address, 900_000, '"one"'))
    shelf.part.path.write_bytes(CONTENT * 2)
    shelf.fill(address)
    assert server.ranges_asked() == ["bytes=600000-", None]
    assert shelf.is_clean()


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"address": 1, "total": "x", "validator": []}', "\0"])
def test_a_part_with_a_spoilt_note_is_begun_anew(server: LocalServer, shelf: Shelf, note: str) -> None:
    shelf.part.path.write_bytes(OTHER[:1000])
    shelf.target.with_name("file.bin.part.json").write_text(note)
    shelf.fill(server.serve("a", CONTENT))
    assert server.ranges_asked() == [None]
    assert shelf.is_clean()


def test_pieces_that_do_not_fit_are_asked_for_once_more_as_a_whole(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    shelf.part.begin(parts.Note(address, len(CONTENT), '"one"'))
    shelf.part.path.write_bytes(OTHER[:100_000])
    shelf.fill(address)
    assert server.ranges_asked() == ["bytes=100000-", None]
    assert shelf.is_clean()


def test_a_date_serves_where_there_is_no_strong_tag(server: LocalServer, shelf: Shelf) -> None:
    server.dated = True
    server.behaviours = [breaks_off(200_000)]
    shelf.fill(server.serve("a", CONTENT, tag='W/"weak"'))
    assert "1970" in server.requests[1].headers["If-Range"]
    assert shelf.is_clean()


def test_a_file_is_kept_as_it_is_served(server: LocalServer, shelf: Shelf, monkeypatch: Any) -> None:
    packed = gzip.compress(CONTENT)
    monkeypatch.setattr(sys.modules[__name__], "CONTENT", packed)
    server.behaviours = [answers(200, packed, Content_Encoding="gzip", Content_Type="application/gzip")]
    shelf.fill(server.serve("a.gz", packed))
    assert shelf.is_clean()


# ---- the next address ----------------------------------------------------------------------------


def test_a_wrong_file_is_removed_and_the_next_address_tried(server: LocalServer, shelf: Shelf) -> None:
    wrong, right = server.serve("wrong", OTHER), server.serve("right", CONTENT)
    assert shelf.fill(wrong, right) == right
    assert [request.path for request in server.requests] == ["/wrong", "/right"]
    assert shelf.is_clean()


def test_wrong_files_everywhere_leave_nothing_and_say_so(server: LocalServer, shelf: Shelf) -> None:
    with pytest.raises(NotDownloadedError, match=r"300000 wrong bytes.*; .*10 wrong bytes"):
        shelf.fill(server.serve("a", OTHER), server.serve("b", OTHER[:10]))
    assert os.listdir(str(shelf.target.parent)) == []


@pytest.mark.parametrize("status", [403, 404, 410, 501])
def test_a_refusal_is_not_repeated(server: LocalServer, shelf: Shelf, status: int) -> None:
    server.behaviours = [answers(status, b"<html>no</html>")]
    right = server.serve("right", CONTENT)
    assert shelf.fill(server.address + "/gone", right) == right
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_waited_for(server: LocalServer, shelf: Shelf, status: int) -> None:
    server.behaviours = [answers(status)] * 2
    shelf.fill(server.serve("a", CONTENT))
    assert len(server.requests) == 3
    assert shelf.is_clean()


def test_tries_are_bounded(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [answers(503)] * 50
    with pytest.raises(NotDownloadedError, match="HTTP 503"):
        shelf.fill(server.serve("a", CONTENT))
    assert len(server.requests) == HURRY.tries


def test_a_server_that_starts_over_and_breaks_off_for_ever_is_given_up(
    server: LocalServer, shelf: Shelf
) -> None:
    server.ranges = False
    server.behaviours = [breaks_off(100_000)] * 50
    with pytest.raises(NotDownloadedError, match="broke off"):
        shelf.fill(server.serve("a", CONTENT))
    assert len(server.requests) <= HURRY.tries + 1
    assert shelf.part.size() > 0


def test_a_stalled_download_goes_on(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [stalls(200_000), stalls(0)]
    shelf.fill(server.serve("a", CONTENT))
    assert len(server.requests) == 3
    assert shelf.is_clean()


def test_a_server_that_drips_is_given_up_and_what_came_is_continued_elsewhere(
    server: LocalServer, shelf: Shelf
) -> None:
    slow, good = server.serve("slow/file.bin", CONTENT), server.serve("file.bin", CONTENT)
    server.behaviours = [drips(1)]
    patience = HURRY._replace(window=0.3)
    assert shelf.fill(slow, good, downloader=Downloader(progress=False, patience=patience)) == good
    assert shelf.is_clean()
    assert server.ranges_asked()[-1] is not None
    server.behaviours = [drips(1)]
    shelf.target.unlink()
    with pytest.raises(NotDownloadedError, match=r"sends [0-9]+ bytes a second, expected 1,000 at least"):
        shelf.fill(slow, downloader=Downloader(progress=False, patience=patience))


def test_a_server_that_takes_for_ever_is_given_up(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("file.bin", CONTENT)
    server.behaviours = [drips(100)]
    patience = HURRY._replace(whole=0.5)
    with pytest.raises(NotDownloadedError, match=r"not whole after 0\.5 s"):
        shelf.fill(address, downloader=Downloader(progress=False, patience=patience))


DRIPPED = {
    "the status": (b"HTTP/1.1 ", b"2"),
    "a header": (b"HTTP/1.1 200 OK\r\nX-Endless: ", b"x"),
    "passing answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a chunk's size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


@pytest.mark.parametrize("what", DRIPPED)
@pytest.mark.parametrize(
    ("patience", "reason"),
    [
        ({"whole": 0.5}, r"not whole after 0\.5 s"),
        ({"window": 0.5}, r"no whole answer within 0\.5 s|sends 0 bytes a second, expected 1,000"),
    ],
)
def test_a_server_that_drips_what_comes_before_the_content_is_given_up(
    server: LocalServer, shelf: Shelf, what: str, patience: Any, reason: str
) -> None:
    slow, good = server.serve("slow/file.bin", CONTENT), server.serve("file.bin", CONTENT)
    server.behaviours = [drips_before(*DRIPPED[what])]
    downloader = Downloader(progress=False, patience=HURRY._replace(**patience))
    with pytest.raises(NotDownloadedError, match=reason):
        shelf.fill(slow, downloader=downloader)
    assert shelf.fill(good) == good
    assert shelf.is_clean()


def test_what_a_server_says_is_fit_for_a_terminal(server: LocalServer, shelf: Shelf) -> None:
    def forge(handler: Any) -> None:
        handler.send_response(403, "\x1b[2J\x1b[31mgone")
        handler.end_headers()

    server.behaviours = [forge]
    with pytest.raises(NotDownloadedError) as refused:
        shelf.fill(server.serve("file.bin", CONTENT))
    assert str(refused.value).isprintable()
    assert "HTTP 403 ?[2J?[31mgone" in str(refused.value)


def test_a_server_that_hangs_up_without_an_answer_is_asked_again(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [hangs_up, hangs_up]
    shelf.fill(server.serve("a", CONTENT))
    assert shelf.is_clean()


def test_an_address_where_nobody_listens_is_passed_over_and_remembered(
    server: LocalServer, shelf: Shelf, dead_address: str
) -> None:
    right = server.serve("right", CONTENT)
    downloader = Downloader(progress=False, patience=HURRY)
    for _ in range(2):
        assert shelf.fill(dead_address + "/a", right, downloader=downloader) == right
    with pytest.raises(NotDownloadedError, match="does not answer"):
        shelf.fill(dead_address + "/a", downloader=downloader)


def test_the_reason_is_told_in_a_few_words(shelf: Shelf, dead_address: str) -> None:
    with pytest.raises(NotDownloadedError) as caught:
        shelf.fill(dead_address + "/a")
    assert str(caught.value) == f"{dead_address[len('http://') :]}: Connection refused"


def test_what_came_from_one_address_is_continued_at_another(server: LocalServer, shelf: Shelf) -> None:
    first, second = server.serve("first", CONTENT), server.serve("second", CONTENT, tag='"two"')
    server.behaviours = [breaks_off(200_000), answers(404)]
    assert shelf.fill(first, second) == second
    assert server.requests[2].path == "/second"
    assert server.requests[2].headers["Range"] == server.requests[1].headers["Range"]
    assert "If-Range" not in server.requests[2].headers
    assert shelf.is_clean()


def test_a_redirection_is_followed(server: LocalServer, shelf: Shelf) -> None:
    right = server.serve("right", CONTENT)
    server.behaviours = [answers(302, Location=right), breaks_off(100_000), answers(302, Location=right)]
    shelf.fill(server.address + "/old")
    assert shelf.is_clean()
    assert server.ranges_asked()[3] is not None


def test_nonsense_for_an_address_is_passed_over(server: LocalServer, shelf: Shelf) -> None:
    assert shelf.fill("nowhere", "ftp://127.0.0.1/a", "http://", server.serve("a", CONTENT))
    assert shelf.is_clean()


# ---- limits --------------------------------------------------------------------------------------


def test_a_file_that_is_too_large_is_not_begun(server: LocalServer, shelf: Shelf) -> None:
    with pytest.raises(NotDownloadedError, match="300,000 bytes, expected at most 1,000"):
        shelf.fill(server.serve("a", CONTENT), limit=1000)
    assert os.listdir(str(shelf.target.parent)) == []


def test_a_file_of_untold_length_is_stopped_at_the_limit(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [answers(200, CONTENT, Content_Length="no")]
    with pytest.raises(NotDownloadedError, match="more bytes than the expected 100,000"):
        shelf.fill(server.serve("a", CONTENT), limit=100_000)
    assert os.listdir(str(shelf.target.parent)) == []


def test_a_file_of_untold_length_is_taken(server: LocalServer, shelf: Shelf) -> None:
    server.behaviours = [answers(200, CONTENT, Content_Length="no")]
    shelf.fill(server.serve("a", CONTENT))
    assert shelf.is_clean()


def test_a_full_disk_is_told_before_anything_is_written(
    server: LocalServer, shelf: Shelf, monkeypatch: Any
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 5_000_000))
    with pytest.raises(InputError, match="found 5 MB free on the disk; expected 67 MB"):
        shelf.fill(server.serve("a", CONTENT))
    assert os.listdir(str(shelf.target.parent)) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_becomes_full_is_told_in_one_line() -> None:
    for amount in (1, 1 << 20):
        with pytest.raises(InputError, match="No space left"), download._appending(
            Path("/dev/full")
        ) as stream:
            download._write(stream, bytes(amount), Path("/dev/full"))


# ---- several processes, and being interrupted ----------------------------------------------------


def test_ctrl_c_leaves_the_part_for_the_next_time(server: LocalServer, shelf: Shelf) -> None:
    address = server.serve("a", CONTENT)
    server.behaviours = [stalls(200_000)]
    program = (
        # A shell's background job ignores Ctrl-C, and so would this process as its child.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; from pathlib import Path; from tf1_lstm.data.download import Downloader\n"
        "Downloader().download([sys.argv[1]], Path(sys.argv[2]), print, 1 << 20, 0)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, address, str(shelf.target)],
        cwd=str(ROOT),
        stderr=subprocess.PIPE,
        env={**os.environ, "no_proxy": "*"},
    )
    _wait_until(lambda: shelf.part.size() > 0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in err
    arrived = shelf.part.size()
    assert arrived > 0
    shelf.fill(address)
    assert server.ranges_asked()[1] == f"bytes={arrived}-"
    assert shelf.is_clean()


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_only_one_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    holders: List[int] = []
    most: List[int] = []
    remarks: List[str] = []

    def work(number: int) -> None:
        with locked(target, remarks.append):
            holders.append(number)
            most.append(len(holders))
            time.sleep(0.05)
            holders.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] * 6
    assert "waiting for another process" in remarks[0]
    assert os.listdir(str(target.parent)) == []


def test_a_lock_left_by_a_dead_process_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / ".file.lock").write_bytes(b"")
    with locked(tmp_path / "file", print):
        assert (tmp_path / ".file.lock").exists()
    assert os.listdir(str(tmp_path)) == []


def test_a_lock_is_released_by_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with locked(tmp_path / "file", print):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.listdir(str(tmp_path)) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    lock = locked(tmp_path / "file" / "data" / "a", print)
    with pytest.raises(InputError, match=r"file/data: cannot be written"):
        lock.__enter__()
