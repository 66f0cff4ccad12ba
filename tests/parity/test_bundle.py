"""The bundle file: the same after a round trip, and refused when it is not what it says."""

import io
import json
import zipfile
from pathlib import Path
from typing import Dict

import numpy as np
import pytest

from tests.experiments import CELLS
from tests.parity.support import IDS, IMDB_RECIPES, ROWS, make_bundle, small, with_document
from tf1_lstm.errors import InputError
from tf1_lstm.parity.bundle import Bundle, arrays_of, read_bundle, write_bundle


@pytest.mark.parametrize("base", [ROWS, IDS], ids=["rows", "ids"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_bundle_comes_back_as_it_was_written(tmp_path, base, cell):
    assert_comes_back(tmp_path / "a.npz", make_bundle(base, cell=cell, layers=2))


@pytest.mark.parametrize("name", IMDB_RECIPES)
def test_a_bundle_of_a_recipe_comes_back_as_it_was_written(tmp_path, name):
    bundle = make_bundle(small(name))
    has_table = bundle.spec.embedding == "word-vectors"
    names = arrays_of(bundle)
    assert ("word_vectors/values" in names) == has_table
    assert ("updates/3/embedding" in names) != has_table
    assert_comes_back(tmp_path / "a.npz", bundle)


def assert_comes_back(path: Path, bundle: Bundle) -> None:
    write_bundle(path, bundle)
    again = read_bundle(path)
    expected, found = arrays_of(bundle), arrays_of(again)
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert again.settings == bundle.settings
    assert again.spec == bundle.spec
    assert again.words == bundle.words


def test_a_bundle_of_version_1_is_read(tmp_path):
    """It has ``adam`` where later ones have ``updates``, and no setting that was added since."""
    bundle = make_bundle(IDS)
    write_bundle(tmp_path / "a.npz", bundle)

    def as_version_1(members: Dict[str, bytes]) -> None:
        for name in [name for name in members if name.startswith("updates/")]:
            members[name.replace("updates/", "adam/")] = members.pop(name)
        document = np.load(io.BytesIO(members["document.npy"])).tobytes().decode("utf-8")
        document = document.replace('"updates/', '"adam/').replace('"version": 2', '"version": 1')
        members["document.npy"] = document_of(document)

    rewritten(tmp_path / "a.npz", as_version_1)
    again = read_bundle(tmp_path / "a.npz")
    assert again.document["version"] == 2
    for old, new in zip(bundle.updates, again.updates):
        assert old.keys() == new.keys()
        for role, array in old.items():
            np.testing.assert_array_equal(new[role], array)


def test_the_same_bundle_gives_the_same_bytes(tmp_path):
    write_bundle(tmp_path / "a.npz", make_bundle(ROWS))
    write_bundle(tmp_path / "b.npz", read_bundle(tmp_path / "a.npz"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_plain_numpy_reads_it_as_the_format_document_says(tmp_path):
    write_bundle(tmp_path / "a.npz", make_bundle(ROWS))
    with np.load(str(tmp_path / "a.npz"), allow_pickle=False) as arrays:
        document = json.loads(arrays["document"].tobytes().decode("utf-8"))
        assert arrays["weights/lstm/fw/0/kernel"].shape == (11, 20)
    assert document["version"] == 2
    text = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text(encoding="utf-8")
    for key in document:
        assert f"`{key}`" in text, f"docs/bundle.md does not describe {key}"


def test_words_that_the_bundle_lacks_are_nan_and_not_a_wrong_vector(tmp_path):
    vectors = make_bundle(IDS).vectors
    assert vectors is not None
    part = type(vectors)(vectors.ids[:3], vectors.values[:3], vectors.words, vectors.unknown)
    assert np.isnan(part.table()[3:]).all()
    np.testing.assert_array_equal(part.table()[:3], vectors.values[:3])
    assert part.look_up(np.array([[0, 3]])) is None
    np.testing.assert_array_equal(part.look_up(np.array([2, 0])), vectors.values[[2, 0]])


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_bundle(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cell": "tcn"}, "cell 'tcn'"),
        ({"units": -1}, "'units' is -1"),
        ({"units": 6}, "expected"),
        ({"units": True}, "'units' is True"),
        ({"layers": 99999}, "1 to 64"),
        ({"forget_bias": 1e308}, "moderate"),
        ({"readout": "both-states"}, "bidirectional False"),
        ({"steps": "250"}, "'steps' is '250'"),
        ({"optimizer": "momentum"}, "optimizer 'momentum'"),
        ({"output": "sigmoid"}, "3 classes, expected 2"),
        ({"joined_layers": True}, "joined_layers True with bidirectional False"),
        ({"dense_units": -1}, "'dense_units' is -1, expected 0"),
        ({"dense_units": 7}, "dense/bias: missing"),
        ({"embedding": ["trained"]}, "'embedding' is ['trained']"),
        ({"any_steps": 1}, "'any_steps' is 1, expected a bool"),
        ({"widths": "5"}, "'widths' is '5', expected the units of each layer"),
        ({"widths": [5, 3]}, "'widths' is [5, 3], expected the units of each layer"),
        ({"widths": [True]}, "'widths' is [True], expected the units of each layer"),
        ({"widths": [10**9]}, "'widths' is [1000000000], expected the units of each layer"),
        ({"output_activation": "softplus"}, "output_activation 'softplus'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, changes, said):
    bundle = make_bundle(ROWS)
    write_bundle(tmp_path / "a.npz", with_document(bundle, settings=dict(bundle.settings, **changes)))
    assert said in refused(tmp_path / "a.npz")


def rewritten(path: Path, edit) -> None:
    """Rewrite the members of an archive: ``edit(dict name -> bytes)``."""
    with zipfile.ZipFile(str(path)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    with zipfile.ZipFile(str(path), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=pickled)
    return stream.getvalue()


def document_of(text: str) -> bytes:
    return npy(np.frombuffer(text.encode(), np.uint8))


ENDLESS = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }".ljust(117)
)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda m: m.pop("document.npy"), "no 'document' inside"),
        (lambda m: m.pop("logits.npy"), "differ in logits"),
        (lambda m: m.update({"more.npy": npy(np.zeros(3))}), "differ in more"),
        (
            lambda m: m.update({"logits.npy": npy(np.zeros(3, object), pickled=True)}),
            "pickled Python objects, which are never loaded",
        ),
        (lambda m: m.update({"logits.npy": npy(np.zeros((6, 3), np.float32))}), "SHA-256"),
        (lambda m: m.update({"logits.npy": m["logits.npy"][:-4]}), "not its size"),
        (lambda m: m.update({"logits.npy": ENDLESS + b"\n"}), "not its size"),
        (lambda m: m.update({"logits.npy": b"hello"}), "not a .npy"),
        (lambda m: m.update({"readme.txt": b"hello"}), "not one array"),
        (lambda m: m.update({"document.npy": document_of("[" * 100000)}), "not JSON"),
        (lambda m: m.update({"document.npy": document_of('{"a": NaN}')}), "not JSON"),
        (lambda m: m.update({"document.npy": document_of("[]")}), "expected a JSON object"),
        (lambda m: m.update({"document.npy": document_of("{}")}), "version 2"),
        (
            lambda m: m.update(
                {"document.npy": document_of('{"format": "tf1-lstm-bundle", "version": 3, "recipe": 3}')}
            ),
            "version 3",
        ),
        (
            lambda m: m.update({"document.npy": document_of('{"format": "tf1-lstm-bundle", "version": 1}')}),
            "'recipe' is None",
        ),
    ],
)
def test_an_edited_file_is_refused_with_its_reason(tmp_path, edit, said):
    path = tmp_path / "a.npz"
    write_bundle(path, make_bundle(ROWS))
    rewritten(path, edit)
    message = refused(path)
    assert said in message
    assert message.startswith(str(path))


def test_nan_is_refused(tmp_path):
    bundle = make_bundle(ROWS)
    bundle.gradients["softmax/bias"][0] = np.nan
    write_bundle(tmp_path / "a.npz", bundle)
    assert "gradients/softmax/bias: holds NaN" in refused(tmp_path / "a.npz")


def test_an_id_without_a_vector_is_refused(tmp_path):
    bundle = make_bundle(IDS)
    bundle.inputs[0, 0] = -1
    write_bundle(tmp_path / "a.npz", bundle)
    assert "has no vector" in refused(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("imdb-lstm32", lambda b: b.inputs.__setitem__((0, 0), 60), "ids from 0 to 60, expected 0 to 59"),
        ("imdb-lstm32", lambda b: b.inputs.__setitem__((0, 0), -1), "ids from -1"),
        ("imdb-lstm32", lambda b: b.weights.update(embedding=b.weights["embedding"][:-1]), "expected"),
        ("imdb-lstm32", lambda b: b.weights.pop("embedding"), "no usable inputs"),
        ("imdb-lstm32", lambda b: b.document["words"].update(unknown=60), "'words'"),
        ("imdb-bilstm2", lambda b: object.__setattr__(b, "inputs", b.inputs[:, :0]), "no example"),
        ("imdb-bilstm2", lambda b: object.__setattr__(b, "inputs", b.inputs[0, 0]), "batch/inputs"),
    ],
)
def test_ids_and_an_embedding_that_do_not_fit_are_refused(tmp_path, name, edit, said):
    bundle = make_bundle(small(name))
    edit(bundle)
    if not bundle.inputs.size:
        for states in bundle.steps:
            bundle.steps[states] = bundle.steps[states][:, :0]
    write_bundle(tmp_path / "a.npz", bundle)
    assert said in refused(tmp_path / "a.npz")


def test_a_batch_may_be_shorter_than_the_longest_review_only_where_the_recipe_says_so(tmp_path):
    bundle = make_bundle(small("imdb-bilstm2"))
    assert bundle.inputs.shape[1] < bundle.settings["steps"]
    changed = with_document(bundle, settings=dict(bundle.settings, any_steps=False))
    write_bundle(tmp_path / "a.npz", changed)
    assert "batch/inputs: int32 (6, 7), expected int32 (6, 9)" in refused(tmp_path / "a.npz")


def test_a_small_file_that_claims_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("tf1_lstm.parity.npz.MOST_BYTES", 1 << 20)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * (2 << 20))
    assert path.stat().st_size < 5000
    assert "would unpack to 2,097,152 bytes" in refused(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04K\x01.", b"a text file\n" * 50])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert "expected a bundle" in refused(path)
    assert "is a folder" in refused(tmp_path)
    assert "no such file" in refused(tmp_path / "b.npz")


def test_damage_anywhere_is_refused_or_harmless(tmp_path):
    """Every bit flip ends in InputError, or in the same arrays (an unread byte of the archive)."""
    path = tmp_path / "a.npz"
    write_bundle(path, make_bundle(ROWS))
    whole, expected = path.read_bytes(), arrays_of(read_bundle(path))
    random = np.random.RandomState(0)
    for _ in range(300):
        damaged = bytearray(whole)
        place = random.randint(len(damaged))
        damaged[place] ^= 1 << random.randint(8)
        path.write_bytes(
            bytes(damaged[: random.randint(1, len(damaged))]) if random.rand() < 0.2 else damaged
        )
        try:
            found = arrays_of(read_bundle(path))
        except InputError:
            continue
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
