"""Whatever path people have: each leads to the right checkpoint, or to a reason."""

import os
import shutil
from pathlib import Path

import pytest

from tests.checkpoints.support import CASES
from tf1_lstm.checkpoints.checkpoint_file import content_for, named_paths
from tf1_lstm.checkpoints.locate import locate
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.errors import InputError

BUNDLE = "no-optimizer-7"
SINGLE = "mnist-2016-7"


def put(folder: Path, name: str, kind: str = BUNDLE) -> Path:
    """Copy a checkpoint of the checkpoint cases into a folder under another name."""
    folder.mkdir(parents=True, exist_ok=True)
    suffixes = (".index", ".data-00000-of-00001") if kind == BUNDLE else ("",)
    for suffix in suffixes:
        shutil.copy(str(CASES / (kind + suffix)), str(folder / (name + suffix)))
    return folder / name


def state(folder: Path, path: str, encoding: str = "utf-8") -> None:
    (folder / "checkpoint").write_bytes(f'model_checkpoint_path: "{path}"\n'.encode(encoding))


@pytest.mark.parametrize("suffix", ["", ".index", ".data-00000-of-00001", ".meta", "."])
def test_every_file_of_a_bundle_leads_to_it(tmp_path, suffix):
    prefix = put(tmp_path, "model.ckpt-40")
    (tmp_path / "model.ckpt-40.meta").write_bytes(b"graph")
    assert locate(str(prefix) + suffix).prefix == str(prefix)
    assert read_checkpoint(str(prefix) + suffix).step == 40


def test_a_v1_file_and_its_graph_lead_to_it(tmp_path):
    prefix = put(tmp_path, "model-3", SINGLE)
    (tmp_path / "model-3.meta").write_bytes(b"graph")
    for path in (str(prefix), str(prefix) + ".meta", str(tmp_path)):
        assert locate(path).files == (str(prefix),)


@pytest.mark.parametrize("suffix", ["", "-00000-of-00002", "-00001-of-00002", "-?????-of-00002"])
def test_v1_files_of_several_lead_to_all_of_them(suffix):
    found = locate(str(CASES / "two-shards-v1-7") + suffix)
    assert [Path(path).name for path in found.files] == [
        "two-shards-v1-7-00000-of-00002",
        "two-shards-v1-7-00001-of-00002",
    ]
    assert read_checkpoint(found.prefix).step == 7


@pytest.mark.parametrize(
    "path",
    [
        "/Users/me/models/model-20",
        "C:\\\\Users\\\\me\\\\models\\\\model-20",  # as TensorFlow escapes it
        "C:\\Users\\me\\models\\model-20",  # as people type it
        "models\\model-20",
        "model-20",
        "../gone/model-20",
    ],
)
def test_a_checkpoint_file_from_another_machine_helps_by_the_name_alone(tmp_path, path):
    for step in (10, 20, 30):
        put(tmp_path, f"model-{step}")
    state(tmp_path, path)
    found = locate(tmp_path)
    assert found.prefix == str(tmp_path / "model-20")
    assert "checkpoint file names it" in found.how
    assert "model-30" in found.how  # the folder holds a later one: said, not chosen


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "shift_jis", "latin-1"])
def test_a_checkpoint_file_in_another_encoding_is_understood(tmp_path, encoding):
    name = {"latin-1": "modèle-5", "shift_jis": "モデル-5"}.get(encoding, "模型-5")
    put(tmp_path, name)
    put(tmp_path, "other-9")
    state(tmp_path, f"/home/x/{name}", encoding)
    assert locate(tmp_path).prefix == str(tmp_path / name)


def test_octal_escapes_are_undone(tmp_path):
    put(tmp_path, "模型-5")
    put(tmp_path, "other-9")
    (tmp_path / "checkpoint").write_bytes(content_for("模型-5"))
    assert b"\\346" in (tmp_path / "checkpoint").read_bytes()
    assert locate(tmp_path).prefix == str(tmp_path / "模型-5")


def test_what_tensorflow_reads_from_our_checkpoint_file_is_the_name(tmp_path):
    import tensorflow as tf

    for name in ("model-5", '模型"-5'):
        put(tmp_path, name)
        (tmp_path / "checkpoint").write_bytes(content_for(name))
        assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / name)


def test_a_name_that_a_mac_took_apart_is_the_same_name(tmp_path):
    put(tmp_path, "mode\u0300le-5")
    put(tmp_path, "other-9")
    state(tmp_path, "/x/mod\u00e8le-5")
    assert locate(tmp_path).prefix == str(tmp_path / "mode\u0300le-5")


def test_the_copy_in_the_folder_is_taken_even_where_the_original_lives(tmp_path):
    original = put(tmp_path / "original", "model-1")
    put(tmp_path / "copy", "model-1")
    state(tmp_path / "copy", str(original))
    assert locate(tmp_path / "copy").prefix == str(tmp_path / "copy" / "model-1")


def test_an_absolute_path_is_never_followed_out_of_a_copied_folder(tmp_path):
    original = put(tmp_path / "original", "model-1")
    (tmp_path / "alone").mkdir()
    state(tmp_path / "alone", str(original))
    with pytest.raises(InputError, match="names 'model-1', which is not there"):
        locate(tmp_path / "alone")


def test_a_relative_path_is_followed(tmp_path):
    put(tmp_path / "alone" / "deeper", "model-1")
    state(tmp_path / "alone", "deeper/model-1")
    found = locate(tmp_path / "alone")
    assert found.prefix == str(tmp_path / "alone" / "deeper" / "model-1")
    assert "names it by this path" in found.how


def test_a_base_name_that_is_empty_works_as_file_and_as_folder(tmp_path):
    original = put(tmp_path / "original", "m")
    folder = tmp_path / "model.weights"
    folder.mkdir()
    for ending in (".index", ".data-00000-of-00001"):
        shutil.copy(f"{original}{ending}", folder / ending)
    for path in (folder, f"{folder}/", folder / ".index", folder / ".data-00000-of-00001"):
        assert locate(path).files == (f"{folder}/.index",)
        assert len(read_checkpoint(path).variables) > 0


def test_another_programs_files_are_named(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match=r"model\.h5 \(an HDF5 file \(Keras weights\)\)"):
        locate(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0", b"model_checkpoint_path: 5", b'model_checkpoint_path: "gone-7"', b"\xff\xfe\x00"],
)
def test_without_a_helpful_checkpoint_file_the_newest_is_found_by_step_not_by_name(tmp_path, content):
    for step in (9, 100, 20):
        put(tmp_path, f"model-{step}")
    (tmp_path / "checkpoint").write_bytes(content)
    found = locate(tmp_path)
    assert found.prefix == str(tmp_path / "model-100")
    assert "newest by step of 3" in found.how


def test_a_folder_without_a_checkpoint_file_is_searched(tmp_path):
    put(tmp_path, "model-5")
    put(tmp_path, "old-70", SINGLE)
    found = locate(tmp_path)
    assert found.prefix == str(tmp_path / "old-70")
    assert "no checkpoint file" in found.how


def test_a_run_folder_leads_to_the_checkpoints_in_it(tmp_path):
    put(tmp_path / "run" / "checkpoints", "model-5")
    assert locate(tmp_path / "run").prefix == str(tmp_path / "run" / "checkpoints" / "model-5")


def test_a_prefix_without_its_step_means_the_newest(tmp_path):
    for step in (9, 100, 20):
        put(tmp_path, f"model.ckpt-{step}")
    put(tmp_path, "other-999")
    found = locate(tmp_path / "model.ckpt")
    assert found.prefix == str(tmp_path / "model.ckpt-100")
    assert "newest by step of 3" in found.how


def test_two_checkpoints_of_one_step_are_not_chosen_between(tmp_path):
    put(tmp_path, "a-5")
    put(tmp_path, "b-5")
    with pytest.raises(InputError, match=r"no way to choose.*a-5, b-5"):
        locate(tmp_path)


def test_a_folder_of_the_same_name_does_not_hide_a_checkpoint(tmp_path):
    prefix = put(tmp_path, "model")
    prefix.mkdir()
    found = locate(prefix)
    assert found.files == (str(prefix) + ".index",)
    assert "folder has the same name" in found.how


def test_the_checkpoint_file_itself_may_be_given(tmp_path):
    put(tmp_path, "model-5")
    state(tmp_path, "/x/model-5")
    assert locate(tmp_path / "checkpoint").prefix == str(tmp_path / "model-5")


def test_a_relative_path_is_enough(tmp_path, monkeypatch):
    put(tmp_path, "model-5")
    monkeypatch.chdir(tmp_path)
    for path in ("model-5", "model-5.index", ".", "model", "./model-5.data-00000-of-00001"):
        assert Path(locate(path).prefix).name == "model-5"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty", b"", "an empty file"),
        ("notes.txt", b"some words\n", "a text file"),
        ("page", b"<!DOCTYPE html><html>", "a web page"),
        ("weights.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("model.pt", b"PK\x03\x04rest", "zip"),
        ("pointer", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("noise", bytes(range(256)), "does not end as a checkpoint"),
        ("archive.tar", bytes(257) + b"ustar" + bytes(300), "tar"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_called_what_it_is(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        locate(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_parts_of_a_checkpoint_are_called_parts(tmp_path):
    put(tmp_path / "a", "model-1")
    (tmp_path / "a" / "model-1.index").unlink()
    for path in ("a", "a/model-1", "a/model-1.data-00000-of-00001"):
        with pytest.raises(InputError, match=r"expected .*index"):
            locate(tmp_path / path)
    put(tmp_path / "b", "model-1")
    (tmp_path / "b" / "model-1.data-00000-of-00001").unlink()
    with pytest.raises(InputError, match=r"data file .* is missing"):
        read_checkpoint(tmp_path / "b")
    (tmp_path / "c.meta").write_bytes(b"graph")
    with pytest.raises(InputError, match="a graph alone"):
        locate(tmp_path / "c.meta")
    shutil.copy(str(CASES / "two-shards-v1-7-00001-of-00002"), str(tmp_path / "d-7-00001-of-00002"))
    with pytest.raises(InputError, match=r"1 of the 2 files.*number 0"):
        locate(tmp_path / "d-7")


def test_an_index_under_another_name_is_recognised_as_one(tmp_path):
    shutil.copy(str(CASES / f"{BUNDLE}.index"), str(tmp_path / "renamed"))
    with pytest.raises(InputError, match="index under another name"):
        read_checkpoint(tmp_path / "renamed")


def test_a_folder_where_a_file_should_be_is_no_crash(tmp_path):
    (tmp_path / "model.index").mkdir()
    (tmp_path / "model.data-00000-of-00001").mkdir()
    for path in (tmp_path, tmp_path / "model", tmp_path / "model.index"):
        with pytest.raises(InputError):
            read_checkpoint(path)


@pytest.mark.parametrize("path", ["", "a\0b", "no/such/folder/model", "/dev/null", "\udce4", "x" * 5000])
def test_impossible_paths_are_refused(path):
    with pytest.raises(InputError):
        locate(path)


def test_a_near_miss_is_answered_with_what_is_there(tmp_path):
    put(tmp_path, "pretrained_lstm.ckpt-90000")
    with pytest.raises(InputError, match=r"pretrained_lstm\.ckpt-90000"):
        locate(tmp_path / "pretrained_lstm.ckpt-9000")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_refused(tmp_path):
    put(tmp_path / "closed", "model-1")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(InputError):
        locate(tmp_path / "closed")


def test_single_quotes_and_the_last_line_count():
    content = b'model_checkpoint_path: "a"\nmodel_checkpoint_path: \'b\'\nall_model_checkpoint_paths: "c"\n'
    assert named_paths(content)[0] == "b"


def test_a_name_in_the_bytes_of_another_system_is_the_same_bytes(tmp_path):
    name = "模型-5".encode("gb18030")
    put(tmp_path, os.fsdecode(name))
    put(tmp_path, "other-9")
    (tmp_path / "checkpoint").write_bytes(b'model_checkpoint_path: "D:/x/' + name + b'"\n')
    assert os.fsencode(locate(tmp_path).prefix) == os.fsencode(str(tmp_path)) + b"/" + name
