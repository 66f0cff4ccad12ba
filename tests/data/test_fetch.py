"""``fetch`` ends with the right files in place, from wherever they come, and never with wrong ones."""

import gzip
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest

from tests.data.local_server import HURRY, LocalServer, answers, breaks_off
from tf1_lstm.data import sources
from tf1_lstm.data.archives import iterate_members
from tf1_lstm.data.content import reviews_sha256
from tf1_lstm.data.fetch import FetchedFile, fetch
from tf1_lstm.data.sources import PUBLIC_FILES, PublicFile, addresses_of
from tf1_lstm.errors import InputError

pytestmark = pytest.mark.usefixtures("only_this_machine")

TEXT = b"the 0.1 0.2\n" * 5000
DIGITS = bytes(range(256)) * 400
REVIEWS = {
    f"aclImdb/{split}/{side}/{number}_{rating}.txt": f"{split} {side} {number}".encode()
    for split in ("train", "test")
    for side, rating in (("pos", 9), ("neg", 2))
    for number in range(5)
}
BESIDES = {"aclImdb/README": b"read me", "aclImdb/train/unsup/0_0.txt": b"unlabelled"}
NAMES = {"glove": "v.50d.txt", "imdb": "reviews_v1.tar.gz", "mnist": "digits-idx3-ubyte.gz"}
WEB_PAGE = b"\n<!DOCTYPE html><html><body>Please log in</body></html>"


def tar_of(files: Dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zip_of(files: Dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def hash_of_reviews(files: Dict[str, bytes]) -> str:
    """Follow the documented rule step by step."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PUBLIC_ZIP = zip_of({"v.100d.txt": b"other", "v.50d.txt": TEXT})
PUBLIC_TAR = gzip.compress(tar_of({**BESIDES, **REVIEWS}))
PUBLIC_GZIP = gzip.compress(DIGITS)
SERVED = {"v.zip": PUBLIC_ZIP, "reviews_v1.tar.gz": PUBLIC_TAR, "digits-idx3-ubyte.gz": PUBLIC_GZIP}


def table(*bases: str) -> Tuple[PublicFile, ...]:
    """Make a table like the real one, of small files."""

    def public(what: str, kept: str, digest: str, size: int, served: str, **more: Any) -> PublicFile:
        return PublicFile(
            what=what,
            name=NAMES[what],
            kept=kept,
            sha256=digest,
            content_bytes=size,
            unpack_limit=more.pop("unpack_limit", size),
            addresses=tuple(f"{base}/{served}" for base in bases or ("http://127.0.0.1:9",)),
            download_bytes=len(SERVED[served]),
            member=more.pop("member", None),
            accepted=more.pop("accepted"),
            licence="a licence",
        )

    return (
        public(
            "glove", "plain", sha256(TEXT), len(TEXT), "v.zip", member="*50d.txt",
            accepted=("v.50d.txt.xz", "v.50d.txt.gz", "v.50d.txt.zip"),
        ),
        public(
            "imdb", "reviews", hash_of_reviews(REVIEWS), 1000, "reviews_v1.tar.gz", unpack_limit=1 << 20,
            accepted=("reviews_v1.tar.xz", "reviews_v1.tar", "reviews_v1.zip", "aclImdb"),
        ),
        public(
            "mnist", "gzip", sha256(DIGITS), len(DIGITS), "digits-idx3-ubyte.gz",
            accepted=("digits-idx3-ubyte", "digits-idx3-ubyte.xz", "digits-idx3-ubyte.zip"),
        ),
    )  # fmt: skip


def run(
    what: str, data: Path, source: Optional[Path] = None, bases: Tuple[str, ...] = ()
) -> List[FetchedFile]:
    return fetch(what, data, source, progress=False, table=table(*bases), patience=HURRY)


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files_below(folder: Path) -> List[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def holds_all(data: Path) -> bool:
    """Check that the three files, and nothing else, are in place."""
    reviews = dict(
        iterate_members(data / "imdb" / NAMES["imdb"], lambda name: "/pos/" in name or "/neg/" in name)
    )
    return (
        files_below(data) == [f"{what}/{name}" for what, name in NAMES.items()]
        and (data / "glove" / NAMES["glove"]).read_bytes() == TEXT
        and gzip.decompress((data / "mnist" / NAMES["mnist"]).read_bytes()) == DIGITS
        and reviews == REVIEWS
    )


@pytest.fixture
def full(server: LocalServer) -> LocalServer:
    """A server of all three public files."""
    for name, content in SERVED.items():
        server.serve(name, content)
    return server


# ---- from the network ----------------------------------------------------------------------------


def test_everything_is_downloaded_checked_and_put_in_place(full: LocalServer, tmp_path: Path) -> None:
    found = run("all", tmp_path, bases=(full.address,))
    assert holds_all(tmp_path)
    assert [(file.what, file.status, file.replaced) for file in found] == [
        ("glove", "downloaded", False),
        ("imdb", "downloaded", False),
        ("mnist", "downloaded", False),
    ]
    assert found[0] == FetchedFile(
        "glove",
        tmp_path / "glove" / "v.50d.txt",
        f"{full.address}/v.zip",
        sha256(TEXT),
        "a licence",
        "downloaded",
        False,
    )
    assert (tmp_path / "imdb" / NAMES["imdb"]).read_bytes() == PUBLIC_TAR


def test_what_is_there_is_not_fetched_again(full: LocalServer, tmp_path: Path) -> None:
    run("all", tmp_path, bases=(full.address,))
    full.requests = []
    assert [file.status for file in run("all", tmp_path, bases=(full.address,))] == ["already there"] * 3
    assert full.requests == []


def test_one_data_set_can_be_asked_for(full: LocalServer, tmp_path: Path) -> None:
    run("mnist", tmp_path, bases=(full.address,))
    assert files_below(tmp_path) == ["mnist/digits-idx3-ubyte.gz"]
    line = refusal(lambda: run("cifar", tmp_path))
    assert "'cifar'" in line
    assert "glove, imdb, mnist or all" in line


def test_a_broken_download_is_resumed(full: LocalServer, tmp_path: Path) -> None:
    full.behaviours = [breaks_off(len(PUBLIC_TAR) // 2)]
    run("imdb", tmp_path, bases=(full.address,))
    assert full.ranges_asked()[1] is not None
    assert (tmp_path / "imdb" / NAMES["imdb"]).read_bytes() == PUBLIC_TAR


@pytest.mark.parametrize("what", list(NAMES))
@pytest.mark.parametrize(
    "wrong",
    [WEB_PAGE, b"", gzip.compress(b"x"), zip_of({"a50d.txt": b"x"}), tar_of({"../x": b""}), b"PK\3\4"],
    ids=["web-page", "empty", "gzip", "zip", "tar", "zip-begun"],
)
def test_a_wrong_file_is_passed_over_for_the_next_address(
    server: LocalServer, tmp_path: Path, what: str, wrong: bytes
) -> None:
    for name, content in SERVED.items():
        server.serve(f"bad/{name}", wrong)
        server.serve(f"good/{name}", content)
    (file,) = run(what, tmp_path, bases=(server.address + "/bad", server.address + "/good"))
    assert "/good/" in file.source
    assert files_below(tmp_path) == [f"{what}/{NAMES[what]}"]


def test_a_wrong_file_everywhere_is_told_and_not_kept(full: LocalServer, tmp_path: Path) -> None:
    full.serve("digits-idx3-ubyte.gz", gzip.compress(TEXT))
    line = refusal(lambda: run("mnist", tmp_path, bases=(full.address,)))
    assert sha256(TEXT) in line
    assert sha256(DIGITS) in line
    full.serve("digits-idx3-ubyte.gz", WEB_PAGE)
    assert "a web page" in refusal(lambda: run("mnist", tmp_path, bases=(full.address,)))
    assert files_below(tmp_path) == []


def test_a_bomb_is_refused(full: LocalServer, tmp_path: Path) -> None:
    full.serve("digits-idx3-ubyte.gz", gzip.compress(bytes(20 << 20)))
    full.serve("v.zip", zip_of({"v.50d.txt": bytes(20 << 20)}))
    assert f"more than {len(DIGITS):,}" in refusal(lambda: run("mnist", tmp_path, bases=(full.address,)))
    assert f"{20 << 20:,}" in refusal(lambda: run("glove", tmp_path, bases=(full.address,)))
    assert files_below(tmp_path) == []


def test_without_a_network_one_line_says_what_to_put_where(tmp_path: Path, dead_address: str) -> None:
    line = refusal(lambda: run("all", tmp_path / "data", bases=(dead_address,)))
    assert "Connection refused" in line
    for what, name in zip(NAMES, SERVED):
        assert f"{name} into {tmp_path}/data/{what}" in line
    assert "--from" in line
    assert "'tf1-lstm fetch all'" in line
    assert files_below(tmp_path) == []


def test_what_the_line_says_works(tmp_path: Path, dead_address: str) -> None:
    refusal(lambda: run("all", tmp_path, bases=(dead_address,)))
    for what, name in zip(NAMES, SERVED):
        put(tmp_path / what, name, SERVED[name])
    assert {file.status for file in run("all", tmp_path, bases=(dead_address,))} == {
        "copied",
        "already there",
    }
    (tmp_path / "glove" / "v.zip").unlink()
    assert holds_all(tmp_path)


def test_one_missing_file_does_not_keep_the_others_away(full: LocalServer, tmp_path: Path) -> None:
    del full.files["v.zip"]
    line = refusal(lambda: run("all", tmp_path, bases=(full.address,)))
    assert "v.zip" in line
    assert "HTTP 404" in line
    assert NAMES["imdb"] not in line
    assert files_below(tmp_path) == ["imdb/" + NAMES["imdb"], "mnist/" + NAMES["mnist"]]


def test_the_mirror_replaces_the_addresses(
    full: LocalServer, tmp_path: Path, dead_address: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TF1_LSTM_MIRROR", f"{dead_address} {full.address}/")
    assert run("glove", tmp_path, bases=("http://192.0.2.1",))[0].source == f"{full.address}/v.zip"
    monkeypatch.setenv("TF1_LSTM_MIRROR", "/some/folder")
    assert "TF1_LSTM_MIRROR" in refusal(lambda: run("mnist", tmp_path))


def test_processes_that_fetch_at_once_download_once(full: LocalServer, tmp_path: Path) -> None:
    full.behaviours = [breaks_off(100), answers(503), breaks_off(5)]
    threads = [
        threading.Thread(target=run, args=("all", tmp_path), kwargs={"bases": (full.address,)})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert holds_all(tmp_path)
    assert len(full.requests) == 3 + 3


# ---- what is already there -----------------------------------------------------------------------


def test_a_wrong_file_in_place_is_reported_and_replaced_by_a_right_one(
    full: LocalServer, tmp_path: Path, capsys: Any
) -> None:
    put(tmp_path, "mnist/digits-idx3-ubyte.gz", PUBLIC_GZIP[:-3])
    (file,) = fetch("mnist", tmp_path, table=table(full.address), patience=HURRY)
    assert (file.status, file.replaced) == ("downloaded", True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "digits-idx3-ubyte.gz: truncated or damaged" in err


def test_a_wrong_file_in_place_stays_where_no_right_one_is_to_be_had(
    tmp_path: Path, dead_address: str
) -> None:
    wrong = put(tmp_path, "glove/v.50d.txt", b"wrong")
    line = refusal(lambda: run("glove", tmp_path, bases=(dead_address,)))
    assert f"{wrong}: found 5 bytes" in line
    assert wrong.read_bytes() == b"wrong"
    put(tmp_path, "from/v.50d.txt", b"wrong too")
    refusal(lambda: run("glove", tmp_path, tmp_path / "from"))
    assert wrong.read_bytes() == b"wrong"


def test_a_file_put_into_the_data_folder_in_another_wrapping_is_used(
    tmp_path: Path, dead_address: str
) -> None:
    put(tmp_path, "glove/v.50d.txt.xz", lzma.compress(TEXT))
    put(tmp_path, "mnist/digits-idx3-ubyte", DIGITS)
    for name, content in REVIEWS.items():
        put(tmp_path, name, content)
    assert [file.status for file in run("all", tmp_path, bases=(dead_address,))] == ["copied"] * 3


def test_a_wrong_file_put_into_the_data_folder_is_passed_over(full: LocalServer, tmp_path: Path) -> None:
    put(tmp_path, "glove/v.50d.txt.xz", b"wrong")
    assert run("glove", tmp_path, bases=(full.address,))[0].status == "downloaded"


def test_a_data_folder_that_cannot_be_written_is_told(full: LocalServer, tmp_path: Path) -> None:
    put(tmp_path, "file", b"")
    assert "cannot be written" in refusal(lambda: run("glove", tmp_path / "file", bases=(full.address,)))
    (tmp_path / "glove" / "v.50d.txt").mkdir(parents=True)
    assert "cannot be written" in refusal(lambda: run("glove", tmp_path, bases=(full.address,)))


def test_a_read_only_data_folder_serves_where_all_is_there(full: LocalServer, tmp_path: Path) -> None:
    run("mnist", tmp_path, bases=(full.address,))
    (tmp_path / "mnist").chmod(0o555)
    if os.access(str(tmp_path / "mnist"), os.W_OK):
        pytest.skip("this user may write everywhere")
    assert run("mnist", tmp_path)[0].status == "already there"
    (tmp_path / "mnist" / NAMES["mnist"]).chmod(0)
    assert "cannot be written" in refusal(lambda: run("mnist", tmp_path, bases=(full.address,)))


# ---- from a folder -------------------------------------------------------------------------------

WRAPPED: Dict[str, Dict[str, bytes]] = {
    "glove": {
        "v.50d.txt": TEXT,
        "v.50d.txt.gz": gzip.compress(TEXT),
        "v.50d.txt.xz": lzma.compress(TEXT),
        "v.50d.txt.zip": zip_of({"v.50d.txt": TEXT}),
        "v.zip": PUBLIC_ZIP,
    },
    "imdb": {
        "reviews_v1.tar.gz": PUBLIC_TAR,
        "reviews_v1.tar.xz": lzma.compress(tar_of(REVIEWS)),
        "reviews_v1.tar": tar_of(REVIEWS),
        "reviews_v1.zip": zip_of({"__MACOSX/aclImdb/train/pos/._0_9.txt": b"", **BESIDES, **REVIEWS}),
    },
    "mnist": {
        "digits-idx3-ubyte.gz": PUBLIC_GZIP,
        "digits-idx3-ubyte": DIGITS,
        "digits-idx3-ubyte.xz": lzma.compress(DIGITS),
        "digits-idx3-ubyte.zip": zip_of({"digits-idx3-ubyte": DIGITS}),
    },
}


@pytest.mark.parametrize("inner", ["", "of its own"])
@pytest.mark.parametrize("what, name", [(what, name) for what in WRAPPED for name in WRAPPED[what]])
def test_a_file_is_taken_from_a_folder_in_each_wrapping(
    tmp_path: Path, what: str, name: str, inner: str
) -> None:
    given = put(tmp_path / "from" / (what if inner else ""), name, WRAPPED[what][name])
    (file,) = run(what, tmp_path / "data", tmp_path / "from")
    assert (file.status, file.source) == ("copied", str(given))
    assert file.path.name == NAMES[what]
    assert files_below(tmp_path / "data") == [f"{what}/{NAMES[what]}"]
    assert run(what, tmp_path / "data")[0].status == "already there"
    assert given.read_bytes() == WRAPPED[what][name]


@pytest.mark.parametrize("chosen", ["from", "from/aclImdb"])
def test_unpacked_reviews_are_packed_the_same_way_each_time(tmp_path: Path, chosen: str) -> None:
    for name, content in {**BESIDES, **REVIEWS}.items():
        put(tmp_path / "from", name, content)
    first, second = (run("imdb", tmp_path / data, tmp_path / chosen)[0].path for data in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    assert dict(iterate_members(first, lambda name: True)) == REVIEWS


def test_a_right_file_is_found_behind_a_wrong_one(tmp_path: Path) -> None:
    put(tmp_path / "from", "v.50d.txt", b"wrong")
    right = put(tmp_path / "from", "v.50d.txt.xz", lzma.compress(TEXT))
    assert run("glove", tmp_path / "data", tmp_path / "from")[0].source == str(right)


def test_a_wrong_file_in_the_folder_is_refused(tmp_path: Path) -> None:
    wrong = put(tmp_path / "from", "v.50d.txt.gz", gzip.compress(b"wrong"))
    line = refusal(lambda: run("all", tmp_path / "data", tmp_path / "from"))
    assert str(wrong) in line
    assert f"expected v.50d.txt with {sha256(TEXT)}" in line
    assert files_below(tmp_path / "data") == []


def test_reviews_with_one_changed_missing_or_doubled_are_refused(tmp_path: Path) -> None:
    name = "aclImdb/test/neg/4_2.txt"
    less = {other: content for other, content in REVIEWS.items() if other != name}
    for files, told in (
        ({**REVIEWS, name: b"changed"}, "20 labelled reviews"),
        (less, "19 labelled reviews"),
        ({**REVIEWS, "copy/" + name[len("aclImdb/") :]: b""}, "twice"),
    ):
        put(tmp_path / "from", "reviews_v1.tar", tar_of(files))
        assert told in refusal(lambda: run("imdb", tmp_path / "data", tmp_path / "from"))


def test_an_empty_folder_is_refused_with_what_should_be_in_it(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    line = refusal(lambda: run("all", tmp_path / "data", tmp_path / "from"))
    assert line.startswith(
        f"{tmp_path}/from: found no v.50d.txt, reviews_v1.tar.gz, digits-idx3-ubyte.gz; expected"
    )
    assert "no such folder" in refusal(lambda: run("all", tmp_path / "data", tmp_path / "nowhere"))


def test_a_folder_with_some_of_the_files_gives_those(tmp_path: Path) -> None:
    put(tmp_path / "from", "digits-idx3-ubyte.gz", PUBLIC_GZIP)
    line = refusal(lambda: run("all", tmp_path / "data", tmp_path / "from"))
    assert "digits" not in line
    assert files_below(tmp_path / "data") == ["mnist/digits-idx3-ubyte.gz"]


def test_the_data_folder_may_be_the_folder_to_take_from(tmp_path: Path) -> None:
    put(tmp_path, "glove/v.50d.txt", TEXT)
    assert run("glove", tmp_path, tmp_path)[0].status == "already there"
    put(tmp_path, "glove/v.50d.txt", b"wrong")
    assert "found no v.50d.txt" in refusal(lambda: run("glove", tmp_path, tmp_path))


# ---- the real table and files --------------------------------------------------------------------


def test_the_table_is_of_the_files_that_the_issues_name() -> None:
    assert [(public.what, public.name) for public in PUBLIC_FILES] == [
        ("glove", "glove.6B.50d.txt"),
        ("imdb", "aclImdb_v1.tar.gz"),
        ("mnist", "train-images-idx3-ubyte.gz"),
        ("mnist", "train-labels-idx1-ubyte.gz"),
        ("mnist", "t10k-images-idx3-ubyte.gz"),
        ("mnist", "t10k-labels-idx1-ubyte.gz"),
    ]
    for public in PUBLIC_FILES:
        assert len(public.addresses) >= 2
        assert all(address.startswith("https://") for address in public.addresses)
        assert len(bytes.fromhex(public.sha256)) == 32
    assert addresses_of(PUBLIC_FILES[0], {sources.MIRROR_VARIABLE: ""}) == PUBLIC_FILES[0].addresses
    assert addresses_of(PUBLIC_FILES[1], {sources.MIRROR_VARIABLE: "http://a/b/ https://c"}) == (
        "http://a/b/aclImdb_v1.tar.gz",
        "https://c/aclImdb_v1.tar.gz",
    )


@pytest.mark.thorough
def test_the_real_files_are_taken_from_the_shared_folder(shared: Path, tmp_path: Path) -> None:
    found = fetch("all", tmp_path, shared / "data", progress=False)
    assert {file.status for file in found} == {"copied"}
    glove = tmp_path / "glove" / "glove.6B.50d.txt"
    assert sha256(glove.read_bytes()) == "d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f"
    shutil.rmtree(str(tmp_path / "glove"))
    again = fetch("mnist", tmp_path, progress=False)
    assert [file.status for file in again] == ["already there"] * 4


def test_the_real_files_come_over_http(
    shared: Path, tmp_path: Path, server: LocalServer, monkeypatch: Any
) -> None:
    for path in (shared / "data" / "mnist").iterdir():
        server.serve(path.name, path.read_bytes())
    server.behaviours = [breaks_off(5_000_000)]
    monkeypatch.setenv("TF1_LSTM_MIRROR", server.address)
    assert [file.status for file in fetch("mnist", tmp_path, progress=False)] == ["downloaded"] * 4
    assert len(server.requests) == 5


@pytest.mark.thorough
def test_the_hash_of_the_real_reviews_is_that_of_the_documented_commands(shared: Path) -> None:
    archive = shared / "data" / "imdb" / "aclImdb_v1.tar.gz"
    files = {}
    with tarfile.open(str(archive)) as opened:
        for member in opened:
            stream = opened.extractfile(member)
            if stream is not None and member.name.split("/")[-2] in ("pos", "neg"):
                files[member.name] = stream.read()
    assert len(files) == 50_000
    imdb = PUBLIC_FILES[1]
    assert sum(len(content) for content in files.values()) == imdb.content_bytes
    assert reviews_sha256(archive, imdb.unpack_limit) == (hash_of_reviews(files), 50_000)
    assert hash_of_reviews(files) == imdb.sha256


def test_nothing_here_imports_tensorflow() -> None:
    program = "import sys, tf1_lstm.data.fetch; sys.exit('tensorflow' in sys.modules)"
    root = str(Path(__file__).parents[2])
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
