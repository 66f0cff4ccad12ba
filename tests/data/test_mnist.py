"""MNIST's splits and batches are TensorFlow's tutorial loader's, with an order of their own."""

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from tests.data.idx_files import image_bytes, label_bytes, random_digits, write_pair
from tf1_lstm.data.mnist import MnistDataset
from tf1_lstm.errors import InputError

TRAIN, TEST = random_digits(120, seed=3), random_digits(50, seed=4)
TRAIN_LABELS, TEST_LABELS = np.arange(120) % 10, np.arange(50) * 7 % 10


@pytest.fixture
def small(tmp_path) -> MnistDataset:
    write_pair(tmp_path, "train", TRAIN, TRAIN_LABELS)
    write_pair(tmp_path, "t10k", TEST, TEST_LABELS)
    return MnistDataset(tmp_path, False)


@pytest.fixture(scope="module")
def mnist(shared) -> MnistDataset:
    return MnistDataset(shared / "data", False)


class TestFiles:
    @pytest.mark.parametrize("name", ["-{}.gz", "-{}", ".{}.gz", ".{}"])
    @pytest.mark.parametrize("below", [".", "mnist"])
    def test_are_found_under_all_their_usual_names(self, tmp_path, below, name):
        write_pair(tmp_path / below, "train", TRAIN, TRAIN_LABELS, name)
        write_pair(tmp_path / below, "t10k", TEST, TEST_LABELS, name)
        found = MnistDataset(tmp_path, False)
        assert found.folder == tmp_path / below
        assert found.split_names() == ("test", "validation", "train")
        assert not found.is_mnist
        assert "not MNIST" in found.split("test").note

    def test_may_be_the_test_files_alone(self, tmp_path):
        write_pair(tmp_path, "t10k", TEST, TEST_LABELS)
        found = MnistDataset(tmp_path, False)
        assert found.split_names() == ("test",)
        with pytest.raises(InputError, match="split 'train' not found, expected one of test"):
            found.split("train")

    def test_of_half_a_pair_the_missing_one_is_named(self, tmp_path):
        write_pair(tmp_path, "train", TRAIN, TRAIN_LABELS)
        (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(InputError, match=r"train-labels-idx1-ubyte\.gz: No such file"):
            MnistDataset(tmp_path, False)

    def test_are_listed_where_there_are_none(self, tmp_path):
        with pytest.raises(
            InputError, match=r"no MNIST files, expected train-images-idx3-ubyte\.gz, train-lab"
        ):
            MnistDataset(tmp_path, False)

    def test_with_more_images_than_labels_are_refused(self, tmp_path):
        write_pair(tmp_path, "train", TRAIN, TRAIN_LABELS[:-1])
        with pytest.raises(InputError, match="found 119 labels, expected 120"):
            MnistDataset(tmp_path, False)

    def test_of_mnist_under_each_others_name_are_refused(self, shared, tmp_path):
        for part in ("images-idx3", "labels-idx1"):
            source = shared / f"data/mnist/t10k-{part}-ubyte.gz"
            (tmp_path / f"train-{part}-ubyte.gz").write_bytes(source.read_bytes())
        with pytest.raises(
            InputError, match="found the content of MNIST's t10k-images, expected train-images"
        ):
            MnistDataset(tmp_path, False)

    def test_are_hashed_by_content_whatever_the_wrapping(self, small):
        hashes = small.hashes()
        assert hashes["train-images-idx3-ubyte.gz"] == hashlib.sha256(image_bytes(TRAIN)).hexdigest()
        assert hashes["t10k-labels-idx1-ubyte.gz"] == hashlib.sha256(label_bytes(TEST_LABELS)).hexdigest()
        assert len(hashes) == 4


class TestSplits:
    def test_of_mnist_are_those_of_tensorflows_own_loader_bit_for_bit(self, mnist, shared):
        loader = pytest.importorskip("tensorflow.examples.tutorials.mnist.input_data")
        state = np.random.get_state()  # noqa: NPY002 (that loader reseeds the global generator)
        theirs = loader.read_data_sets(str(shared / "data/mnist"), one_hot=True)
        np.random.set_state(state)  # noqa: NPY002
        for name, size in (("train", 55000), ("validation", 5000), ("test", 10000)):
            split, expected = mnist.split(name), getattr(theirs, name)
            assert len(split.labels) == size
            assert split.inputs.dtype == np.float32
            assert split.inputs.tobytes() == expected.images.tobytes()
            assert np.array_equal(np.eye(10)[split.labels], expected.labels)

    def test_of_mnist_say_so(self, mnist, shared):
        assert mnist.is_mnist
        assert mnist.split("validation").note == "5,000 of the 60,000 training images of MNIST"
        assert set(mnist.hashes().values()) >= {
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        }

    def test_hold_out_a_twelfth_of_a_smaller_set_from_its_front(self, small):
        assert len(small.split("validation").labels) == 10
        both = np.concatenate([small.split("validation").inputs, small.split("train").inputs])
        assert np.array_equal(np.rint(both * 255), TRAIN)
        assert np.array_equal(small.split("test").labels, TEST_LABELS)

    def test_leave_validation_out_where_it_would_be_empty(self, tmp_path):
        write_pair(tmp_path, "train", TRAIN[:5], TRAIN_LABELS[:5])
        assert MnistDataset(tmp_path, False).split_names() == ("train",)

    def test_unknown_is_refused_with_the_known_ones(self, small):
        with pytest.raises(
            InputError, match="split 'tutorial-test' not found, expected one of test, validation, tr"
        ):
            small.split("tutorial-test")


class TestBatches:
    @pytest.mark.parametrize(("which", "rows"), [("train", range(10, 120)), ("test", range(50))])
    def test_follow_one_another_in_permutations(self, small, which, rows):
        make = small.train_sampler if which == "train" else small.test_sampler
        sampler = make("published", 16, 1)
        stream = np.concatenate([sampler.batch(step).rows for step in range(28)])
        epochs = [stream[start : start + len(rows)] for start in range(0, 4 * len(rows), len(rows))]
        for epoch in epochs:
            assert sorted(epoch) == list(rows)
        assert len({tuple(epoch) for epoch in epochs}) == 4

    def test_do_not_depend_on_what_was_drawn_before(self, small):
        first = small.train_sampler("published", 16, 1)
        in_order = [first.batch(step).rows for step in range(60)]
        other = small.train_sampler("published", 16, 1)
        for step in (59, 3, 31, 7, 6, 0, 58):
            assert np.array_equal(other.batch(step).rows, in_order[step])

    def test_differ_by_seed_and_leave_the_global_generator_alone(self, small):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        rows = [small.train_sampler("published", 64, seed).batch(0).rows for seed in (1, 2)]
        assert not np.array_equal(*rows)
        assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    def test_hold_the_images_and_labels_of_their_rows(self, small):
        batch = small.train_sampler("published", 32, 1).batch(5)
        assert batch.inputs.dtype == batch.labels.dtype == np.float32
        assert np.array_equal(np.rint(batch.inputs * 255), TRAIN[batch.rows])
        assert np.array_equal(batch.labels.argmax(1), TRAIN_LABELS[batch.rows])
        assert np.array_equal(batch.labels.sum(1), np.ones(32))
        assert np.array_equal(small.render(batch.inputs[0]), batch.inputs[0])

    def test_may_be_larger_than_the_set(self, small):
        rows = small.test_sampler("published", 128, 1).batch(0).rows
        assert len(rows) == 128
        assert np.bincount(rows).min() >= 2

    def test_corrected_hold_every_test_image_once_in_a_pass(self, small):
        sampler = small.test_sampler("corrected", 16, 1)
        for first in (0, 4, 8):
            batches = [sampler.batch(step).rows for step in range(first, first + 4)]
            assert [len(rows) for rows in batches] == [16, 16, 16, 2]
            assert sorted(np.concatenate(batches)) == list(range(50))

    def test_of_128_take_far_less_than_a_training_step(self, mnist):
        sampler = mnist.train_sampler("published", 128, 1)
        seconds = []
        for step in range(100):
            start = time.process_time()
            sampler.batch(step)
            seconds.append(time.process_time() - start)
        assert min(seconds) < 300e-6


class TestAudit:
    def findings(self, dataset, kind, batch_size=128):
        return {finding.what: finding for finding in dataset.audit(kind, batch_size)}

    def test_of_mnist_as_published(self, mnist):
        totals = {what: finding[1] for what, finding in self.findings(mnist, "published").items()}
        unseen = totals.pop("test images behind no printed figure")
        assert totals == {
            "test images that are training images too": 0,
            "test images behind the first 'Train set accuracy'": 128,
            "test images behind the 'Test set accuracy'": 128,
            "training images never used in 782 steps": 0,
            "training images used more often than others": 782 * 128 - 55000,
            "validation images outside the training": 5000,
        }
        # 41 batches of 128 hold at most 5,248 of the 10,000.
        assert 10000 - 41 * 128 <= unseen < 7000

    def test_of_mnist_corrected_leaves_no_test_image_out(self, mnist):
        totals = {what: finding[1] for what, finding in self.findings(mnist, "corrected").items()}
        assert totals["test images left out by a pass of test batches"] == 0
        assert totals["test images used twice in a pass of test batches"] == 0

    def test_finds_test_images_among_the_training_images(self, tmp_path):
        leaked = TEST.copy()
        leaked[[7, 20]] = TRAIN[[0, 99]]
        write_pair(tmp_path, "train", TRAIN, TRAIN_LABELS)
        write_pair(tmp_path, "t10k", leaked, TEST_LABELS)
        finding = self.findings(MnistDataset(tmp_path, False), "published")[
            "test images that are training images too"
        ]
        assert finding[1:3] == (2, (7, 20))

    def test_goes_without_the_files_that_are_missing(self, tmp_path):
        write_pair(tmp_path, "t10k", TEST, TEST_LABELS)
        assert len(MnistDataset(tmp_path, False).audit("published", 128)) == 3


def test_encodes_files_in_order_and_refuses_single_ones(tmp_path, small):
    np.save(str(tmp_path / "two.npy"), TEST[:2])
    np.save(str(tmp_path / "one.npy"), TEST[2])
    items = [tmp_path / "two.npy", tmp_path / "absent.png", str(tmp_path / "one.npy")]
    examples = small.encode(items, ["two", "absent", "one"])
    assert [example.name for example in examples] == ["two[0]", "two[1]", "absent", "one"]
    assert [example.refused is None for example in examples] == [True, True, False, True]
    given = np.stack([examples[0].inputs, examples[1].inputs, examples[3].inputs])
    assert np.array_equal(given, small.split("test").inputs[:3])


def test_names_its_classes_and_needs_no_constants(small):
    assert small.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    assert small.constants() == {}
    assert small.example_kind == "image"


def test_the_embedded_sample_says_what_it_is():
    sample = MnistDataset(Path(__file__).parents[2] / "data/sample", True)
    assert not sample.is_mnist
    for name in sample.split_names():
        assert "embedded sample (UCI digits, not MNIST)" in sample.split(name).note
