"""Reading whatever wraps a file: every kind gives the same bytes, and hostile ones give one clear line."""

import gzip
import io
import lzma
import os
import random
import stat
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest

from tf1_lstm.data import archives
from tf1_lstm.data.archives import iterate_members, open_stream
from tf1_lstm.data.guards import kind_of
from tf1_lstm.errors import InputError

TEXT = b"the 0.1 0.2\n" * 2000
FILES = {"top/train/pos/0_9.txt": b"good", "top/train/neg/0_1.txt": b"bad" * 300, "top/README": b"read"}
PNG = b"\x89PNG"


def everything(name: str) -> bool:
    return True


def nothing(name: str) -> bool:
    return False


def texts(name: str) -> bool:
    return name.endswith(".txt")


def tar_of(files: Dict[str, bytes], mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def tar_with(*infos: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for info in infos:
            archive.addfile(info)
    return stream.getvalue()


def zip_of(files: Dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def folder_of(folder: Path, files: Dict[str, bytes]) -> Path:
    for name, content in files.items():
        put(folder, name, content)
    return folder


def read(path: Path, member: Optional[str] = None, limit: int = archives.DEFAULT_LIMIT) -> bytes:
    with open_stream(path, member, limit) as stream:
        return stream.read()


def members(path: Path, wanted: Callable[[str], bool] = everything, **limits: int) -> Dict[str, bytes]:
    return dict(iterate_members(path, wanted, **limits))


def refusal(action: Callable[..., object], path: Path, *arguments: Any, **options: Any) -> str:
    """Check that reading a file ends in one line which names it, and give that line."""
    with pytest.raises(InputError) as caught:
        action(path, *arguments, **options)
    line = str(caught.value)
    assert str(path) in line
    assert "expected" in line
    assert "\n" not in line
    return line


# ---- one file ------------------------------------------------------------------------------------

WRAPPED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zip": zip_of({"some/glove.6B.50d.txt": TEXT, "some/glove.6B.100d.txt": b"no"}),
    "tar": tar_of({"some/glove.6B.100d.txt": b"no", "some/glove.6B.50d.txt": TEXT}),
    "tar.gz": gzip.compress(tar_of({"glove.6B.50d.txt": TEXT})),
    "tar.xz": lzma.compress(tar_of({"glove.6B.50d.txt": TEXT})),
}


@pytest.mark.parametrize("kind", list(WRAPPED))
def test_gives_the_same_bytes_from_every_wrapping_whatever_the_name(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path, "download.bin", WRAPPED[kind])
    assert read(path, "*50d.txt") == TEXT


def test_tells_the_wrapping_from_the_content_and_not_from_the_name(tmp_path: Path) -> None:
    assert kind_of(put(tmp_path, "a.zip", gzip.compress(b""))) == "gzip"
    assert kind_of(put(tmp_path, "a.gz", lzma.compress(b""))) == "xz"
    assert kind_of(put(tmp_path, "a.txt", zip_of({}))) == "zip"
    assert kind_of(put(tmp_path, "empty.gz", b"")) == "plain"


def test_a_zip_of_one_file_needs_no_pattern(tmp_path: Path) -> None:
    assert read(put(tmp_path, "a.zip", zip_of({"folder/": b"", "folder/a.txt": TEXT}))) == TEXT


def test_concatenated_gzip_files_are_one_text(tmp_path: Path) -> None:
    assert read(put(tmp_path, "a.gz", gzip.compress(b"one ") + gzip.compress(b"two"))) == b"one two"


def test_lines_can_be_read_one_by_one(tmp_path: Path) -> None:
    with open_stream(put(tmp_path, "a.gz", gzip.compress(TEXT))) as stream:
        assert next(iter(stream)) == b"the 0.1 0.2\n"


@pytest.mark.parametrize("suffix, kind", [("", "plain"), (".gz", "gzip"), (".xz", "xz"), (".zip", "zip")])
def test_finds_the_file_in_a_folder_in_each_wrapping(tmp_path: Path, suffix: str, kind: str) -> None:
    put(tmp_path, "v.50d.txt" + suffix, WRAPPED[kind])
    put(tmp_path, "v.100d.txt", b"no")
    assert read(tmp_path, "*50d.txt") == TEXT


def test_a_folder_without_the_file_or_with_two_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(read, tmp_path, "*50d.txt")
    put(tmp_path, "a50d.txt", b"")
    put(tmp_path, "b50d.txt", b"")
    assert "a50d.txt, b50d.txt" in refusal(read, tmp_path, "*50d.txt")
    assert "a folder" in refusal(read, tmp_path)


def test_a_pattern_that_fits_no_member_or_two_is_refused_with_what_is_there(tmp_path: Path) -> None:
    both = put(tmp_path, "a.zip", zip_of({"a.txt": b"", "b.txt": b""}))
    assert "a.txt, b.txt" in refusal(read, both)
    assert "found 0" in refusal(read, both, "*.csv")
    tar = put(tmp_path, "a.tar", tar_of({"a.txt": b""}))
    assert "*.csv" in refusal(read, tar, "*.csv")
    assert "tar archive" in refusal(read, tar)


def test_missing_files_folders_and_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    assert "No such file" in refusal(read, tmp_path / "none.gz")
    os.mkfifo(str(tmp_path / "pipe"))
    assert "pipe" in refusal(read, tmp_path / "pipe")


NOISE = random.Random(1).getrandbits(8 * 3000).to_bytes(3000, "little")
TO_CUT = {
    "gzip": gzip.compress(NOISE),
    "xz": lzma.compress(NOISE),
    "zip": zip_of({"50d.txt": NOISE}),
    # Of a plain tar what follows the first block of the end mark is padding.
    "tar": tar_of({"50d.txt": NOISE})[: 512 + 3072 + 512],
    "tar.gz": gzip.compress(tar_of({"50d.txt": NOISE})),
    "tar.xz": lzma.compress(tar_of({"50d.txt": NOISE})),
}


@pytest.mark.parametrize("kind", list(TO_CUT))
def test_an_archive_cut_anywhere_never_passes_for_a_whole_one(tmp_path: Path, kind: str) -> None:
    whole = TO_CUT[kind]
    actions: Dict[bool, Callable[..., object]] = {True: members, False: read}
    action = actions["tar" in kind]
    assert action(put(tmp_path, "whole", whole))
    for size in [*range(10, len(whole) - 1, 61), len(whole) - 1]:
        refusal(action, put(tmp_path, "cut", whole[:size]))


@pytest.mark.parametrize("kind", ["gzip", "xz", "zip", "tar.gz"])
def test_a_changed_byte_is_noticed_or_does_not_matter(tmp_path: Path, kind: str) -> None:
    random_numbers = random.Random(2)
    for _ in range(200):
        content = bytearray(WRAPPED[kind])
        content[random_numbers.randrange(8, len(content))] ^= 1 << random_numbers.randrange(8)
        path = put(tmp_path, "changed", bytes(content))
        try:
            assert read(path, "*50d.txt") == TEXT
        except InputError as error:
            assert str(path) in str(error)


# ---- bombs ---------------------------------------------------------------------------------------

ZEROS = 50 << 20


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_bomb_is_stopped_at_the_limit(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = put(tmp_path, "bomb", pack(bytes(ZEROS)))
    assert path.stat().st_size < 100_000
    count = 0
    with pytest.raises(InputError, match="more than 1,000,000 bytes"), open_stream(
        path, limit=1_000_000
    ) as stream:
        while stream.read(1 << 16):
            count += 1 << 16
    assert count <= 1_000_000


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    for kind in ("plain", "gzip", "xz", "zip"):
        path = put(tmp_path, kind, WRAPPED[kind])
        assert read(path, "*50d.txt", limit=len(TEXT)) == TEXT
        refusal(read, path, "*50d.txt", limit=len(TEXT) - 1)


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = put(tmp_path, "bomb.zip", zip_of({"a.txt": bytes(ZEROS)}))
    line = refusal(read, path, limit=1000)
    assert f"{ZEROS:,}" in line


def test_a_zip_that_understates_its_sizes_gives_no_more_than_it_states(tmp_path: Path) -> None:
    content = zip_of({"a.txt": bytes(ZEROS)})
    stated = ZEROS.to_bytes(4, "little")
    path = put(tmp_path, "liar.zip", content.replace(stated, (10).to_bytes(4, "little")))
    assert "damaged" in refusal(read, path, limit=1000)
    assert "damaged" in refusal(members, path, limit=1000)


def test_a_zip_that_overstates_its_sizes_is_refused(tmp_path: Path) -> None:
    content = zip_of({"a.txt": b"x" * 5000})
    path = put(
        tmp_path, "liar.zip", content.replace((5000).to_bytes(4, "little"), (6000).to_bytes(4, "little"))
    )
    refusal(members, path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods_that_cannot_be_bounded_are_refused(tmp_path: Path, method: int) -> None:
    path = put(tmp_path, "a.zip", zip_of({"a.txt": TEXT}, method))
    assert "deflate" in refusal(read, path)


def test_a_tar_bomb_is_stopped_by_the_total_even_where_its_members_are_not_wanted(tmp_path: Path) -> None:
    path = put(tmp_path, "bomb.tar.gz", gzip.compress(tar_of({"a.bin": bytes(ZEROS), "a.txt": b""})))
    refusal(members, path, texts, limit=1_000_000)
    refusal(members, path, member_limit=1_000_000)


def test_a_zip_of_many_members_is_stopped_by_the_total(tmp_path: Path) -> None:
    path = put(tmp_path, "many.zip", zip_of({f"{number}.txt": bytes(1000) for number in range(20)}))
    assert len(members(path, limit=20_000)) == 20
    refusal(members, path, limit=19_999)


def test_a_member_of_enormous_claimed_size_is_refused_at_once(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.txt")
    info.size = 8 << 40
    path = put(tmp_path, "huge.tar", info.tobuf() + bytes(2048))
    started = time.process_time()
    assert f"{8 << 40:,}" in refusal(members, path)
    refusal(members, path, nothing)
    assert time.process_time() - started < 2


def test_an_extended_header_of_enormous_claimed_size_is_refused_at_once(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        info = tarfile.TarInfo("a.txt")
        info.type, info.size = kind, 1 << 31
        path = put(tmp_path, "huge.tar", info.tobuf() + bytes(2048))
        refusal(members, path)


def test_a_negative_size_does_not_loop(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.bin")
    info.size = -512
    block = info.tobuf(tarfile.GNU_FORMAT)
    path = put(tmp_path, "loop.tar", block + bytes(2048))
    refusal(members, path, texts)


def test_headers_nested_without_end_are_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1
    path = put(tmp_path, "nested.tar", (info.tobuf() + b"a" + bytes(511)) * 3000 + bytes(1024))
    refusal(members, path)


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.txt")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386:398] = b"00000000000\0"
    block[398:410] = b"00000000001\0"
    block[483:495] = b"07777777777\0"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    path = put(tmp_path, "sparse.tar", bytes(block) + bytes(1024))
    refusal(members, path, member_limit=1 << 40)


# ---- members -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz", "tar.xz", "zip"])
def test_gives_the_same_members_from_every_wrapping(tmp_path: Path, kind: str) -> None:
    path = folder_of(tmp_path / "in", FILES)
    if kind != "folder":
        pack: Dict[str, Callable[[bytes], bytes]] = {"tar.gz": gzip.compress, "tar.xz": lzma.compress}
        content = zip_of(FILES) if kind == "zip" else pack.get(kind, bytes)(tar_of(FILES))
        path = put(tmp_path, "no-suffix", content)
    assert members(path) == FILES
    assert set(dict(iterate_members(path, texts))) == {name for name in FILES if texts(name)}


def test_names_are_normalised(tmp_path: Path) -> None:
    for content in (tar_of({"./a//./b.txt": b"1"}), zip_of({"./a//b.txt": b"1"}), zip_of({"a\\b.txt": b"1"})):
        assert members(put(tmp_path, "x", content)) == {"a/b.txt": b"1"}


def test_long_and_foreign_names_are_read(tmp_path: Path) -> None:
    names: List[str] = ["a/" * 100 + "long.txt", "größe/文.txt"]
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
            for name in names:
                archive.addfile(tarfile.TarInfo(name))
        assert sorted(members(put(tmp_path, "x.tar", stream.getvalue()))) == sorted(names)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a.txt", "a/../../b.txt", "a\\..\\b.txt", "C:\\a.txt", "\\a.txt"]
)
def test_hostile_names_are_refused_even_where_they_are_not_wanted(tmp_path: Path, name: str) -> None:
    for content in (tar_of({name: b"x"}), zip_of({name: b"x"})):
        path = put(tmp_path, "x", content)
        assert "relative names" in refusal(members, path, nothing)


def test_links_and_devices_in_archives_are_passed_over(tmp_path: Path) -> None:
    infos = []
    for number, kind in enumerate(
        [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
    ):
        info = tarfile.TarInfo(f"{number}.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        infos.append(info)
    assert members(put(tmp_path, "x.tar", tar_with(*infos))) == {}
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert members(put(tmp_path, "x.zip", stream.getvalue())) == {}


def test_links_and_pipes_in_folders_are_passed_over(tmp_path: Path) -> None:
    outside = folder_of(tmp_path / "outside", {"secret.txt": b"secret"})
    inside = folder_of(tmp_path / "inside", {"a.txt": b"a"})
    (inside / "file.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(str(inside / "pipe.txt"))
    assert members(inside) == {"a.txt": b"a"}


def test_a_folder_is_held_to_the_limits(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", {"a.txt": bytes(100), "b.txt": bytes(100)})
    assert len(members(folder, limit=200, member_limit=100)) == 2
    refusal(members, folder, limit=199)
    refusal(members, folder, member_limit=99)


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
        archive.addfile(tarfile.TarInfo("./a.txt"))
    path = put(tmp_path, "twice.tar", stream.getvalue())
    assert "twice" in refusal(members, path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.txt": TEXT}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path = put(tmp_path, "secret.zip", bytes(content))
    assert "encrypted" in refusal(members, path)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (PNG, b"", gzip.compress(TEXT), zlib.compress(TEXT)):
        path = put(tmp_path, "x.tar.gz", content)
        refusal(members, path)


def test_a_tar_without_its_end_mark_is_refused(tmp_path: Path) -> None:
    whole = tar_of({"a.txt": b"x" * 512, "b.txt": b"y" * 512})
    path = put(tmp_path, "cut.tar", whole[:1024])
    assert "no end mark" in refusal(members, path)


def test_a_wrong_checksum_after_the_last_member_is_noticed(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(tar_of(FILES)))
    content[-5] ^= 1
    path = put(tmp_path, "x.tar.gz", bytes(content))
    assert "CRC" in refusal(members, path)


# ---- the real files ------------------------------------------------------------------------------


@pytest.mark.thorough
def test_reads_the_fifty_thousand_reviews_in_seconds(shared: Path) -> None:
    path = shared / "data" / "imdb" / "aclImdb_v1.tar.gz"
    started = time.process_time()
    count = sum(1 for _ in iterate_members(path, lambda name: texts(name) and name.startswith("aclImdb/t")))
    assert count == 50_000
    assert time.process_time() - started < 20  # 2.5 s on an idle machine
