"""The tutorial's arrays: checked when they are read, split and sampled as published, or mended."""

import time
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.small_imdb import WORDS, arrays, write_arrays
from tf1_lstm.data.imdb import ImdbIds
from tf1_lstm.data.imdb_split import CorrectedSampler, Layout, TutorialSampler, audit_split
from tf1_lstm.data.prepare import prepare_imdb
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, sha256_of_array, write_json

FULL = Layout.of(25_000)
NO_IDS = np.zeros((25_000, 1), np.int32)


def samplers(kind: str, batch_size: int = 24, seed: int = 0) -> Tuple[Any, Any]:
    """Samplers of a matrix of the published size, which need no file."""
    if kind == "published":
        return (
            TutorialSampler(NO_IDS, FULL, FULL.train_numbers(), batch_size, seed, "train"),
            TutorialSampler(NO_IDS, FULL, (FULL.test_numbers(),), batch_size, seed, "test"),
        )
    return (
        CorrectedSampler(NO_IDS, FULL, FULL.corrected_train_rows(), batch_size, seed, "train"),
        CorrectedSampler(NO_IDS, FULL, (FULL.test_rows(),), batch_size, seed, "test"),
    )


# ---- reading -------------------------------------------------------------------------------------


def test_three_files_of_somebody_elses_are_enough(tmp_path: Path) -> None:
    write_arrays(tmp_path / "imdb")
    (tmp_path / "imdb/idsMatrixTest.npy").unlink()
    for folder in (tmp_path, tmp_path / "imdb"):
        data = ImdbIds(folder)
        assert data.split_names() == ("tutorial-test", "train")
        assert data.steps == 6
        np.testing.assert_array_equal(data.constants()["word_vectors"], arrays()["wordVectors.npy"])
    with pytest.raises(
        InputError, match=r"idsMatrixTest\.npy: no such file; expected for the split official-test"
    ):
        data.split("official-test")
    with pytest.raises(InputError, match="--split: found 'dev', expected one of tutorial-test, train"):
        data.split("dev")


def changed_ids(row: int, value: int) -> np.ndarray:
    ids = arrays()["idsMatrix.npy"]
    ids[row, 2] = value
    return ids


def with_nan() -> np.ndarray:
    vectors = arrays()["wordVectors.npy"]
    vectors[3, 1] = np.nan
    return vectors


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("wordsList.npy", np.array(["0", "a"], dtype=object), "pickled"),
        (
            "wordsList.npy",
            np.array(["0", "a", "b", "c", "unk"]),
            r"found <U3 \[5\], expected the word list, byte",
        ),
        ("wordsList.npy", WORDS.reshape(5, 1), r"found \|S4 \[5, 1\], expected the word list"),
        ("wordsList.npy", WORDS[:4], "wordVectors.npy: found 5 vectors, expected 4, one for each word"),
        ("wordVectors.npy", np.zeros((5, 3)), r"found float64 \[5, 3\], expected the word vectors, float32"),
        ("wordVectors.npy", np.zeros(5, np.float32), r"found float32 \[5\], expected the word vectors"),
        ("wordVectors.npy", np.zeros((5, 0), np.float32), r"found float32 \[5, 0\], expected"),
        ("wordVectors.npy", np.zeros((4, 3), np.float32), "found 4 vectors, expected 5"),
        ("wordVectors.npy", with_nan(), "found NaN or infinity in row 3, expected finite numbers"),
        ("wordVectors.npy", np.array([[{}]] * 5), "pickled"),
        ("idsMatrix.npy", np.zeros((50, 6)), r"found float64 \[50, 6\], expected word ids, int32"),
        ("idsMatrix.npy", np.zeros((50, 6), np.int64), r"found int64 \[50, 6\], expected word ids, int32"),
        ("idsMatrix.npy", np.zeros(50, np.int32), r"found int32 \[50\], expected word ids"),
        ("idsMatrix.npy", np.zeros((0, 6), np.int32), r"found int32 \[0, 6\], expected"),
        ("idsMatrix.npy", changed_ids(7, 5), r"found the id 5 in row 7, expected 0 to 4 \(5 words\)"),
        ("idsMatrix.npy", changed_ids(49, -1), "found the id -1 in row 49, expected 0 to 4"),
        ("idsMatrix.npy", np.zeros((49, 6), np.int32), "found 49 rows, expected an even number"),
        ("idsMatrix.npy", np.zeros((24, 6), np.int32), "found 24 rows, expected at least 26"),
        ("idsMatrixTest.npy", np.zeros((8, 5), np.int32), "found 5 steps, expected 6 as in idsMatrix.npy"),
        ("idsMatrixTest.npy", np.zeros((7, 6), np.int32), "found 7 rows, expected an even number"),
        ("idsMatrixTest.npy", np.full((8, 6), 9, np.int32), "found the id 9 in row 0"),
    ],
)
def test_refuses_an_array_that_does_not_fit(
    tmp_path: Path, name: str, array: np.ndarray, message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        ImdbIds(write_arrays(tmp_path, (name, array)))
    assert ".npy: " in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize("name", ["wordsList.npy", "wordVectors.npy", "idsMatrix.npy", "idsMatrixTest.npy"])
def test_refuses_a_file_that_is_cut_off_or_something_else(tmp_path: Path, name: str) -> None:
    path = write_arrays(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=rf"{name}: truncated: .* bytes found"):
        ImdbIds(tmp_path)
    path.write_bytes(b"PK\x03\x04 not an array")
    with pytest.raises(InputError, match=rf"{name}: not a \.npy file"):
        ImdbIds(tmp_path)


def test_refuses_a_folder_with_a_file_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found none of wordsList\.npy, .* expected all three"):
        ImdbIds(tmp_path)
    (write_arrays(tmp_path) / "wordVectors.npy").unlink()
    with pytest.raises(InputError, match=r"wordVectors\.npy: no such file; expected the word vectors"):
        ImdbIds(tmp_path)


def test_refuses_a_cut_off_copy_of_the_published_ids(tmp_path: Path) -> None:
    """Its second half would no longer be the negative one."""
    np.save(str(tmp_path / "wordsList.npy"), np.zeros(400_000, "S2"))
    np.save(str(tmp_path / "wordVectors.npy"), np.zeros((400_000, 1), np.float32))
    np.save(str(tmp_path / "idsMatrix.npy"), np.zeros((20_000, 2), np.int32))
    with pytest.raises(
        InputError, match=r"found 20,000 rows, expected 25,000 \(half positive, half negative\)"
    ):
        ImdbIds(tmp_path)


def test_refuses_ids_that_are_not_those_of_the_manifest(tmp_path: Path) -> None:
    write_json(write_arrays(tmp_path) / "manifest.json", {"files": {"idsMatrix.npy": {"shape": [52, 6]}}})
    with pytest.raises(InputError, match=r"found 50 rows, expected 52 as manifest\.json says"):
        ImdbIds(tmp_path)
    write_json(tmp_path / "manifest.json", {"files": []})
    with pytest.raises(InputError, match=r"manifest\.json: no shape of idsMatrix\.npy in it"):
        ImdbIds(tmp_path)


def test_hashes_are_of_the_arrays_content_whatever_the_header(tmp_path: Path) -> None:
    data = ImdbIds(write_arrays(tmp_path))
    assert data.hashes() == {name: sha256_of_array(array) for name, array in arrays().items()}


# ---- splits --------------------------------------------------------------------------------------


def test_the_published_bounds_are_the_tutorials() -> None:
    assert FULL.train_numbers() == ((1, 11_499), (13_499, 24_999))
    assert FULL.test_numbers() == (11_499, 13_499)
    assert FULL.last_positive_number == 12_499
    assert (FULL.test_rows()[0], FULL.test_rows()[-1], len(FULL.test_rows())) == (11_498, 13_498, 2_001)


def test_splits_hold_each_row_once_with_its_true_label(tmp_path: Path) -> None:
    data = ImdbIds(write_arrays(tmp_path))  # test numbers 22 to 26 of 50, counted from 1
    ids = arrays()["idsMatrix.npy"]
    test = data.split("tutorial-test")
    np.testing.assert_array_equal(test.inputs, ids[21:26])
    assert test.labels.tolist() == [0, 0, 0, 0, 1]
    train = data.split("train")
    np.testing.assert_array_equal(train.inputs, np.concatenate([ids[:22], ids[25:49]]))
    assert train.labels.tolist() == [0] * 22 + [1] * 24
    official = data.split("official-test")
    np.testing.assert_array_equal(official.inputs, arrays()["idsMatrixTest.npy"])
    assert official.labels.tolist() == [0] * 4 + [1] * 4
    assert all(data.split(name).labels.dtype == np.int64 for name in data.split_names())


# ---- samplers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_a_batch_holds_what_the_graph_takes(tmp_path: Path, kind: str) -> None:
    data = ImdbIds(write_arrays(tmp_path))
    for sampler in (data.train_sampler(kind, 7, 3), data.test_sampler(kind, 7, 3)):
        batch = sampler.batch(11)
        assert (batch.inputs.dtype, batch.inputs.shape) == (np.int32, (7, 6))
        assert (batch.labels.dtype, batch.labels.shape) == (np.float32, (7, 2))
        assert (batch.rows.dtype, batch.rows.shape) == (np.int64, (7,))
        np.testing.assert_array_equal(batch.inputs, arrays()["idsMatrix.npy"][batch.rows])
        np.testing.assert_array_equal(batch.labels.sum(axis=1), np.ones(7))


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_training_batches_alternate_positive_and_negative(kind: str) -> None:
    for step in range(50):
        batch = samplers(kind)[0].batch(step)
        np.testing.assert_array_equal(batch.labels, np.tile(np.eye(2), (12, 1)))
        np.testing.assert_array_equal(batch.rows >= 12_500, np.arange(24) % 2 == 1)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["published", "corrected"]),
    which=st.sampled_from([0, 1]),
    size=st.integers(1, 60),
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 10**6),
)
def test_a_batch_depends_on_seed_and_step_alone(
    kind: str, which: int, size: int, seed: int, step: int
) -> None:
    used = samplers(kind, size, seed)[which]
    for earlier in (step + 3, 0, step + 1):
        used.batch(earlier)
    fresh = samplers(kind, size, seed)[which]
    np.testing.assert_array_equal(used.batch(step).rows, fresh.batch(step).rows)


def test_other_seeds_steps_and_sets_draw_other_rows() -> None:
    train, test = samplers("published")
    draws = [train.batch(0), train.batch(1), samplers("published", seed=1)[0].batch(0), test.batch(0)]
    assert len({draw.rows.tobytes() for draw in draws}) == 4


@pytest.mark.parametrize("kind", ["published", "corrected"])
def test_draws_stay_within_what_the_sampler_lists(kind: str) -> None:
    for sampler in samplers(kind, 1000):
        listed = dict(zip(*(part.tolist() for part in sampler.support())))
        for step in range(150):
            batch = sampler.batch(step)
            given = [listed[row] for row in batch.rows.tolist()]  # KeyError where a row is not listed
            np.testing.assert_array_equal(batch.labels.argmax(axis=1), given)


def test_published_draws_are_uniform_and_reach_both_ends() -> None:
    train, test = samplers("published", 1000)
    rows = np.concatenate([test.batch(step).rows for step in range(200)])
    counts = np.bincount(rows - 11_498, minlength=2_001)
    assert len(counts) == 2_001
    expected = len(rows) / 2_001
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_squared - 2_000) < 5 * np.sqrt(2 * 2_000)
    rows = np.concatenate([train.batch(step).rows for step in range(400)])
    assert {0, 11_498, 13_498, 24_998} <= set(rows.tolist())


@pytest.mark.parametrize("size", [1, 5, 24])
def test_corrected_epochs_hold_every_row_once(size: int) -> None:
    layout = Layout.of(100)
    groups = layout.corrected_train_rows()
    sampler = CorrectedSampler(NO_IDS, layout, groups, size, 4, "train")
    rows = np.concatenate([sampler.batch(step).rows for step in range(1200 // size)])
    for group, members in enumerate(groups):
        drawn = rows[group::2]  # positions alternate over the whole training, also in odd batches
        epochs = [drawn[start : start + len(members)] for start in range(0, 500, len(members))]
        for epoch in epochs:
            assert sorted(epoch.tolist()) == members.tolist()
        assert len({epoch.tobytes() for epoch in epochs}) == len(epochs) > 5


def test_corrected_test_batches_hold_the_same_rows_as_the_split_once() -> None:
    sampler = samplers("corrected", 29)[1]  # 2001 = 29 * 69
    rows = np.concatenate([sampler.batch(step).rows for step in range(69)])
    assert sorted(rows.tolist()) == list(range(11_498, 13_499))


def test_refuses_an_unknown_sampler_and_an_empty_batch(tmp_path: Path) -> None:
    data = ImdbIds(write_arrays(tmp_path))
    with pytest.raises(InputError, match="setting sampler: found 'best', expected published or corrected"):
        data.train_sampler("best", 24, 0)
    with pytest.raises(InputError, match="setting batch_size: found 0, expected 1 or more"):
        data.test_sampler("corrected", 0, 0)


# ---- audit ---------------------------------------------------------------------------------------


def audit(kind: str, batch_size: int = 24) -> Dict[str, Tuple[int, Tuple[int, ...]]]:
    train, test = samplers(kind, batch_size)
    return {
        what: (total, rows) for what, total, rows, _ in audit_split(train.support(), test.support(), FULL)
    }


def test_audit_finds_the_leaks_the_wrong_label_and_the_unused_row() -> None:
    assert audit("published") == {
        "rows in both train and test": (2, (11_498, 13_498)),
        "rows labelled wrongly in train": (0, ()),
        "rows labelled wrongly in test": (1, (12_499,)),
        "rows in neither train nor test": (1, (24_999,)),
    }


def test_audit_finds_nothing_in_the_corrected_split() -> None:
    assert all(found == (0, ()) for found in audit("corrected").values())


def test_audit_sees_that_batches_of_one_never_hold_a_negative_review() -> None:
    found = audit("published", 1)
    assert found["rows in both train and test"] == (1, (11_498,))
    assert found["rows in neither train nor test"] == (11_501, (13_499, 13_500, 13_501, 13_502, 13_503))


def test_audit_of_real_files_says_the_same(prepared: Path) -> None:
    data = ImdbIds(prepared)
    assert {line.what: line.rows for line in data.audit("published", 24)} == {
        what: rows for what, (_, rows) in audit("published").items()
    }
    assert data.hashes()["idsMatrix.npy"].startswith("7bd52ac9a64c")


def test_a_batch_takes_well_under_a_millisecond(prepared: Path) -> None:
    """It is drawn inside the training loop, whose step takes some 45 ms; about 0.03 ms here."""
    for kind in ("published", "corrected"):
        sampler = ImdbIds(prepared).train_sampler(kind, 24, 1)
        sampler.batch(0)
        times = []
        for step in range(300):
            start = time.process_time()
            sampler.batch(step)
            times.append(time.process_time() - start)
        assert np.median(times) < 5e-4


def test_prepared_reviews_can_be_opened_and_sampled(tmp_path: Path) -> None:
    lines = {
        f"{split}/{side}/{n}_5.txt": b"the good %d" % n
        for split in ("train", "test")
        for side in ("pos", "neg")
        for n in range(15)
    }
    for name, content in lines.items():
        (tmp_path / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / name).write_bytes(content)
    (tmp_path / "g.txt").write_bytes(b"the 1 2\ngood 1 2\nunk 3 4\nlast 5 6\n")
    prepare_imdb(tmp_path / "r", tmp_path / "g.txt", tmp_path, progress=False)
    data = ImdbIds(tmp_path)
    assert len(data.split("official-test").labels) == 30
    assert data.train_sampler("published", 24, 0).batch(0).inputs.shape == (24, 250)
    assert read_json(tmp_path / "imdb/manifest.json")["words"] == 4
