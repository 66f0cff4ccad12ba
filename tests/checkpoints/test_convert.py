"""Converting between versions: names, values, slots; and what is never done."""

from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from tests.checkpoints.support import CASES, expected_of, listed_cases
from tf1_lstm.checkpoints.conversion import plan
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.write import write
from tf1_lstm.errors import InputError

AGES = {"0.12": "tf0.12", "1.0": "tf1.0", "1.15": "tf1.15"}
REGULAR = [case for case in listed_cases() if case["path"].split("-")[0] in AGES]
PLAIN = CASES / "1.15-basic_lstm-1x1-7"


def content_of(folder: Path) -> Dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def convert(source: Path, target: Path, to: str, force: bool = False, **options: Any) -> List[Any]:
    planned = plan(source, target, to, **options)
    write(planned, force)
    return planned.moves


@pytest.mark.parametrize("to", AGES)
@pytest.mark.parametrize("case", REGULAR, ids=lambda case: case["path"])
def test_every_age_becomes_every_other_under_the_names_tensorflow_gave_it(case, to, tmp_path):
    """The script of the cases typed each version's names: the converter must arrive at the same bytes."""
    convert(CASES / case["path"], tmp_path / "out", AGES[to])
    twin = case["path"].replace(case["path"].split("-")[0], to, 1)
    suffixes = ("",) if to == "0.12" else (".index", ".data-00000-of-00001")
    for suffix in suffixes:
        assert (tmp_path / f"out{suffix}").read_bytes() == (CASES / f"{twin}{suffix}").read_bytes()


@pytest.mark.parametrize("path", ["partitioned-shards-7", "named-shards-7", "two-shards-v1-7", "own-names-7"])
@pytest.mark.parametrize("to", ["tf1.15", "tf1.0", "tf0.12"])
def test_pieces_are_put_together_and_nothing_changes(path, to, tmp_path):
    case = next(one for one in listed_cases() if one["path"] == path)
    expected = expected_of(case)
    convert(CASES / path, tmp_path / "out-8", to)
    before = load_weights(CASES / path, expected, want_slots=case["slots"])
    after = load_weights(tmp_path / "out-8", expected, want_slots=case["slots"])
    assert after.digest() == before.digest()
    assert after.step == 8
    for slot, arrays in before.slots.items():
        for role, array in arrays.items():
            np.testing.assert_array_equal(after.slots[slot][role], array)


def test_variables_of_no_role_come_along_under_their_own_names(tmp_path):
    convert(CASES / "tutorial-90000", tmp_path / "out", "tf1.0")
    written = read_checkpoint(tmp_path / "out")
    assert written.specs["Variable"].shape == (2, 5, 3)
    assert "rnn/basic_lstm_cell/weights/Adam_1" in written.specs


def test_keep_names_renames_the_cells_alone(tmp_path):
    convert(CASES / "mnist-2016-7", tmp_path / "out", "tf1.15", keep_names=True)
    names = {name.split("/Adam")[0] for name in read_checkpoint(tmp_path / "out").specs}
    assert names == {
        "rnn/basic_lstm_cell/kernel",
        "rnn/basic_lstm_cell/bias",
        "weights",
        "biases",
        "beta1_power",
        "beta2_power",
    }


def test_two_possible_softmaxes_are_converted_only_under_their_own_names(tmp_path):
    with pytest.raises(InputError, match="--keep-names"):
        plan(CASES / "two-softmaxes-7", tmp_path / "out", "tf1.0")
    convert(CASES / "two-softmaxes-7", tmp_path / "out", "tf1.0", keep_names=True)
    assert {"a/w", "c/w", "rnn/basic_lstm_cell/weights"} <= set(read_checkpoint(tmp_path / "out").specs)


def test_strings_cannot_be_copied_and_are_named(tmp_path):
    planned = plan(CASES / "strings-7", tmp_path / "out", "tf1.0")
    assert planned.left == ["vocabulary: values of type string cannot be copied"]


@pytest.mark.parametrize("path", ["no-cell-7", "two-models-7", "unknown-cell-7", "no-cell-shape-7"])
def test_what_is_no_model_is_not_converted(path, tmp_path):
    with pytest.raises(InputError, match="found no model to convert"):
        plan(CASES / path, tmp_path / "out", "tf1.15")
    assert content_of(tmp_path) == {}


@pytest.mark.parametrize(
    "path", ["1.15-gru-1x1-7", "1.15-basic_lstm-2x1-7", "1.15-basic_lstm-1x2-7", "no-softmax-7"]
)
def test_only_the_tutorials_own_model_becomes_the_tutorials(path, tmp_path):
    with pytest.raises(InputError, match="--to tutorial: found"):
        plan(CASES / path, tmp_path / "out", "tutorial")


def test_nothing_is_overwritten_without_force(tmp_path):
    convert(PLAIN, tmp_path / "out", "tf1.0")
    before = content_of(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        convert(CASES / "1.15-gru-1x1-7", tmp_path / "out", "tf1.0")
    assert content_of(tmp_path) == before
    convert(CASES / "1.15-gru-1x1-7", tmp_path / "out", "tf1.0", force=True)
    assert "rnn/gru_cell/gates/weights" in read_checkpoint(tmp_path / "out").specs


def test_a_checkpoint_of_the_other_format_is_not_hidden_even_with_force(tmp_path):
    convert(PLAIN, tmp_path / "out", "tf1.0")
    before = content_of(tmp_path)
    with pytest.raises(InputError, match="another checkpoint under the prefix"):
        convert(PLAIN, tmp_path / "out", "tf0.12", force=True)
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("way", ["itself", "link", "dots"])
def test_the_source_is_never_the_target(tmp_path, way):
    convert(PLAIN, tmp_path / "m-7", "tf1.15")
    (tmp_path / "link").symlink_to(tmp_path)
    target = {"itself": "m-7", "link": "link/m-7", "dots": "../" + tmp_path.name + "/m-7.index"}[way]
    before = content_of(tmp_path)
    with pytest.raises(InputError, match="the source itself"):
        convert(tmp_path / "m-7", tmp_path / target, "tf1.15", force=True)
    assert content_of(tmp_path) == before


def test_a_folder_as_target_takes_the_sources_name(tmp_path):
    convert(PLAIN, tmp_path, "tf1.0")
    convert(PLAIN, Path(str(tmp_path / "new" / "deep") + "/x"), "tf1.0")
    assert (tmp_path / f"{PLAIN.name}.index").is_file()
    assert (tmp_path / "new" / "deep" / "x.index").is_file()


def test_a_checkpoint_file_is_made_where_there_is_none_and_left_alone_where_there_is(tmp_path):
    import tensorflow as tf

    convert(PLAIN, tmp_path / "a-1", "tf1.0")
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "a-1")
    state = (tmp_path / "checkpoint").read_bytes()
    convert(PLAIN, tmp_path / "b-2", "tf1.0")
    assert (tmp_path / "checkpoint").read_bytes() == state


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError):
        convert(PLAIN, tmp_path / "file" / "out", "tf1.0")
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="a folder"):
        write(plan(PLAIN, tmp_path / "x", "tf0.12")._replace(target=str(tmp_path / "out")), False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out"]


def test_a_result_that_does_not_read_back_is_not_put_in_place(tmp_path, monkeypatch):
    def spoil(prefix: str, variables: Dict[str, np.ndarray]) -> None:
        write_bundle(prefix, {name: np.asarray(values) * 2 for name, values in variables.items()})

    monkeypatch.setattr("tf1_lstm.checkpoints.write.write_bundle", spoil)
    with pytest.raises(InputError, match="does not read back"):
        convert(PLAIN, tmp_path / "out", "tf1.0")
    assert content_of(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_source_is_untouched(tmp_path):
    convert(PLAIN, tmp_path / "a" / "m-7", "tf1.15")
    source = tmp_path / "a"
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()}
    for number, to in enumerate(("tf1.15", "tf1.0", "tf0.12", "tutorial")):
        convert(source, tmp_path / "b" / f"m-{number}", to)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()} == before
