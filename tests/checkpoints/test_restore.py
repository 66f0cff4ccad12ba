"""Restoring: all roles with the right shapes, or an error that shows what was expected and found."""

import shutil
from typing import Dict, Tuple

import numpy as np
import pytest

from tests.checkpoints.support import CASES, expected_of, listed_cases
from tests.experiments import experiment
from tf1_lstm.checkpoints.canonical import expected_shapes
from tf1_lstm.checkpoints.formats.bundle_write import write_bundle
from tf1_lstm.checkpoints.reading import read_checkpoint
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.checkpoints.weights import ModelDescription, Weights
from tf1_lstm.errors import InputError

Shapes = Dict[str, Tuple[int, ...]]
LSTM: Shapes = {
    "lstm/fw/0/kernel": (7, 16),
    "lstm/fw/0/bias": (16,),
    "softmax/weights": (4, 2),
    "softmax/bias": (2,),
}
FITS = CASES / "1.15-basic_lstm-1x1-7"
TRAINED = {"inputs": "ids", "embedding": "trained", "vocabulary": 9}
JOINED = {"bidirectional": True, "readout": "both-states", "joined_layers": True}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, "1.15-basic_lstm-1x1-7"),
        ({"cell": "basic_rnn"}, "0.12-basic_rnn-1x1-7"),
        ({"cell": "lstm_peephole", "layers": 2}, "1.0-lstm_peephole-2x1-7"),
        ({"cell": "lstm_coupled"}, "1.15-lstm_coupled-1x1-7"),
        ({"cell": "gru", "bidirectional": True, "readout": "both-states", "layers": 2}, "0.12-gru-2x2-7"),
        ({"bidirectional": True, "readout": "backward-state"}, "backward-state-7"),
        ({**TRAINED, "layers": 2, "dense_units": 4, "output": "sigmoid"}, "keras-two-layers-basic_lstm-7"),
        ({"inputs": "ids", "layers": 2, "dense_units": 4, "output": "sigmoid"}, "keras-frozen-7"),
        ({**TRAINED, "layers": 2, "output": "sigmoid", **JOINED}, "pytorch-joined-7"),
    ],
)
def test_expected_shapes_are_those_of_the_checkpoint_of_such_a_graph(changes, path):
    expected = expected_shapes(experiment(**changes), 3)
    assert set(load_weights(CASES / path, expected).arrays) == set(expected)


def test_the_arrays_are_float32_and_may_be_changed():
    arrays = load_weights(FITS, LSTM).arrays
    for array in arrays.values():
        assert array.dtype == np.float32
        np.add(array, 1, out=array)


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        ({**LSTM, "lstm/fw/0/kernel": (8, 16)}, r"lstm/fw/0/kernel is \[7, 16\], expected \[8, 16\]"),
        ({**LSTM, "lstm/fw/1/kernel": (8, 16)}, r"lstm/fw/1/kernel \[8, 16\] is missing"),
        ({**LSTM, "lstm/fw/0/w_f_diag": (4,)}, r"w_f_diag \[4\] is missing"),
        ({**LSTM, "softmax/weights": (8, 2)}, r"softmax/weights is \[4, 2\], expected \[8, 2\]"),
        (
            {"lstm/fw/0/kernel": (7, 16), "lstm/fw/0/bias": (16,)},
            "softmax/weights is in the checkpoint and not",
        ),
        ({"gru/fw/0/gates/kernel": (7, 8)}, "missing"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_with_a_table(expected, reason):
    with pytest.raises(InputError, match=reason) as caught:
        load_weights(FITS, expected)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(str(FITS))
    assert lines[1].split() == ["role", "expected", "found", "nearest", "candidates"]
    for role, shape in expected.items():
        assert any(line.startswith(role) and str(list(shape)) in line for line in lines[3:])


def test_what_is_missing_is_answered_with_the_nearest_candidates(tmp_path):
    arrays = {"rnn/basic_lstm_cell/kernel": (7, 16), "rnn/basic_lstm_cell/bias": (16,), "out/w": (5, 2)}
    write_bundle(str(tmp_path / "m"), {name: np.zeros(shape, np.float32) for name, shape in arrays.items()})
    with pytest.raises(InputError, match=r"softmax/weights .* out/w \[5, 2\]"):
        load_weights(tmp_path / "m", LSTM)


def test_two_possible_softmaxes_are_listed_and_none_is_taken():
    with pytest.raises(InputError, match="nothing decides: a/w with a/b, c/w with a/b"):
        load_weights(CASES / "two-softmaxes-7", LSTM)


def test_the_expected_shape_decides_between_softmaxes_of_different_widths(tmp_path):
    source = read_checkpoint(FITS)
    arrays = {name: source.variables[name] for name in source.variables if not name.startswith("softmax")}
    arrays.update({"a/w": np.ones((4, 2)), "a/b": np.ones(2), "z/w": np.zeros((4, 9)), "z/b": np.zeros(9)})
    arrays = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    write_bundle(str(tmp_path / "m"), arrays)
    with pytest.raises(InputError, match="may be a part"):
        load_weights(tmp_path / "m", LSTM)
    del arrays["z/w"]
    write_bundle(str(tmp_path / "m"), arrays)
    assert load_weights(tmp_path / "m", LSTM).arrays["softmax/weights"].tolist() == [[1, 1]] * 4


def test_a_trained_embedding_is_never_replaced_in_silence():
    with pytest.raises(InputError, match="embedding is in the checkpoint and not in the model"):
        load_weights(CASES / "embedding-7", LSTM)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    source = read_checkpoint(FITS)
    arrays = {name: source.variables[name] for name in source.variables}
    arrays["softmax/bias/Adam"] = np.full(2, value, np.float32)
    write_bundle(str(tmp_path / "m"), arrays)
    load_weights(tmp_path / "m", LSTM)
    with pytest.raises(InputError, match="Adam of softmax/bias holds 2 values"):
        load_weights(tmp_path / "m", LSTM, want_slots=True)
    arrays["softmax/bias"] = np.array([value, 0], np.float32)
    write_bundle(str(tmp_path / "m"), arrays)
    with pytest.raises(InputError, match="softmax/bias holds 1 values"):
        load_weights(tmp_path / "m", LSTM)


def test_training_on_needs_every_slot_and_both_powers(tmp_path):
    with pytest.raises(InputError, match="no Adam slot"):
        load_weights(CASES / "no-optimizer-7", LSTM, want_slots=True)
    source = read_checkpoint(FITS)
    for lacking in ("softmax/bias/Adam_1", "beta2_power"):
        write_bundle(
            str(tmp_path / "m"), {name: source.variables[name] for name in source.specs if name != lacking}
        )
        with pytest.raises(InputError, match=lacking.rsplit("/", 1)[-1]):
            load_weights(tmp_path / "m", LSTM, want_slots=True)
        assert load_weights(tmp_path / "m", LSTM).slots == {}


def test_of_several_optimizers_slots_only_the_graphs_own_are_read(tmp_path):
    source = read_checkpoint(FITS)
    arrays = {name: source.variables[name] for name in source.variables}
    arrays["softmax/bias/Momentum"] = np.full(2, np.nan, np.float32)
    write_bundle(str(tmp_path / "m"), arrays)
    assert set(load_weights(tmp_path / "m", LSTM, want_slots=True).slots) == {"Adam", "Adam_1"}
    with pytest.raises(InputError, match="found no RMSProp slot 'RMSProp' for"):
        load_weights(FITS, LSTM, want_slots=True, slot_names=("RMSProp",), scalar_names=())


def test_another_kind_of_the_same_optimizer_is_refused_and_its_weights_are_read():
    path = CASES / "other-names-7"
    (case,) = (one for one in listed_cases() if one["path"] == path.name)
    expected = expected_of(case)
    with pytest.raises(InputError, match="found the slots 'RMSProp_1' too, expected RMSProp alone"):
        load_weights(path, expected, want_slots=True, slot_names=("RMSProp",), scalar_names=())
    assert set(load_weights(path, expected).arrays) == set(expected)


def test_a_direction_that_gets_no_gradient_needs_no_slots_unless_it_is_said_to(tmp_path):
    expected = expected_shapes(experiment(bidirectional=True, readout="backward-state"), 3)
    assert set(load_weights(CASES / "backward-state-7", expected, want_slots=True).slots["Adam"]) == {
        role for role in expected if "/fw/" not in role
    }
    with pytest.raises(InputError, match="no Adam slot 'Adam' for lstm/fw/0"):
        load_weights(CASES / "backward-state-7", expected, want_slots=list(expected))
    source = read_checkpoint(CASES / "backward-state-7")
    lacking = "bidirectional_rnn/bw/basic_lstm_cell/bias/Adam"
    write_bundle(
        str(tmp_path / "m"), {name: source.variables[name] for name in source.specs if name != lacking}
    )
    with pytest.raises(InputError, match="no Adam slot 'Adam' for lstm/bw/0/bias"):
        load_weights(tmp_path / "m", expected, want_slots=True)


def test_the_digest_names_the_weights_alone_not_where_they_came_from(tmp_path):
    digests = {
        load_weights(CASES / path, LSTM, want_slots=slots).digest()
        for path, slots in (
            ("0.12-basic_lstm-1x1-7", False),
            ("1.0-basic_lstm-1x1-7", True),
            ("1.15-basic_lstm-1x1-7", False),
            ("tutorial-90000", True),
            ("two-shards-7", False),
            ("partitioned-v1-7", False),
        )
    }
    assert len(digests) == 1


def test_the_digest_changes_with_any_bit_any_role_and_any_shape():
    model = ModelDescription("basic_lstm", ("i", "j", "f", "o"), 1.0, 3, 4, 1, 1, 2)
    base = {"a": np.zeros((2, 3), np.float32)}
    variants = [
        base,
        {"a": np.zeros((3, 2), np.float32)},
        {"b": np.zeros((2, 3), np.float32)},
        {"a": np.zeros((2, 3), np.float64)},
        {"a": -np.zeros((2, 3), np.float32)},
    ]
    assert len({Weights(model, arrays).digest() for arrays in variants}) == len(variants)
    assert Weights(model, {"a": np.zeros((2, 3), ">f4")}).digest() == Weights(model, base).digest()


def test_a_damaged_value_is_refused_though_the_index_is_sound(tmp_path):
    for suffix in (".index", ".data-00000-of-00001"):
        shutil.copy(str(FITS) + suffix, str(tmp_path / ("m-7" + suffix)))
    data = tmp_path / "m-7.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(bytes(content))
    with pytest.raises(InputError, match="checksum"):
        load_weights(tmp_path / "m-7", LSTM, want_slots=True)
