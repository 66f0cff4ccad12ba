"""From names and shapes to a model: what is recognised, what is refused, and nothing guessed."""

from typing import Dict, Mapping, Tuple

import pytest

from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.identify import Identified, identify

LSTM = {"rnn/basic_lstm_cell/kernel": (114, 256), "rnn/basic_lstm_cell/bias": (256,)}


def identified(shapes: Mapping[str, Tuple[int, ...]]) -> Identified:
    return identify({name: VariableSpec(shape, "float32") for name, shape in shapes.items()})


@pytest.mark.parametrize(
    ("kernel", "bias"),
    [
        ("Variable_1", "Variable_2"),
        ("Variable", "Variable_1"),
        ("weights", "biases"),
        ("W", "b"),
        ("Prediction_Parameters/Weights", "Prediction_Parameters/Bias"),
        ("out/kernel", "out/bias"),
        ("fully_connected/weights", "fully_connected/biases"),
        ("W_out", "b_out"),
        ("anything", "else"),
    ],
)
def test_a_softmax_is_found_under_any_name(kernel, bias):
    found = identified({**LSTM, kernel: (64, 2), bias: (2,)})
    assert found.sources["softmax/weights"].names == (kernel,)
    assert found.sources["softmax/bias"].names == (bias,)


def test_names_decide_where_two_vectors_fit():
    found = identified({**LSTM, "out/w": (64, 2), "out/b": (2,), "class_weights": (2,)})
    assert found.sources["softmax/bias"].names == ("out/b",)
    assert found.unread == ("class_weights",)


def test_nothing_is_guessed_where_two_matrices_fit():
    found = identified({**LSTM, "a": (64, 2), "b": (2,), "c": (64, 2), "d": (2,)})
    assert "softmax/weights" not in found.sources
    assert len(found.candidates) == 4
    assert set(found.unassigned) == {"a", "c"}


def test_a_square_layer_before_the_softmax_is_not_taken_for_it():
    shapes = {**LSTM, "hidden/w": (64, 30), "hidden/b": (30,), "out/w": (30, 2), "out/b": (2,)}
    found = identified(shapes)
    assert found.sources["dense/kernel"].names == ("hidden/w",)
    assert found.sources["softmax/weights"].names == ("out/w",)
    assert found.model is not None
    assert found.model.classes == 2


def test_a_trained_embedding_is_not_overlooked():
    found = identified({**LSTM, "emb/W": (5000, 50), "w": (64, 2), "b": (2,)})
    assert found.sources["embedding"].names == ("emb/W",)


def test_a_layer_in_front_of_the_cell_is_called_one():
    found = identified({**LSTM, "in/w": (28, 50), "in/b": (50,), "w": (64, 2), "b": (2,)})
    assert found.sources["front/kernel"].names == ("in/w",)
    assert found.sources["front/bias"].names == ("in/b",)
    assert found.model is not None
    assert (found.model.front, found.model.inputs, found.unassigned) == (28, 50, ())


STOCKS = {
    "rnn/basic_lstm_cell/kernel": (160, 320),
    "rnn/basic_lstm_cell/bias": (320,),
    "Variable": (1, 80),
    "Variable_1": (80, 1),
    "Variable_2": (80,),
    "Variable_3": (1,),
}


def test_a_linear_layer_in_front_is_not_the_softmax_nor_the_output_a_layer_between():
    """The stock-price tutorial: 1 to 80, LSTM(80), 80 to 1."""
    found = identified(STOCKS)
    assert found.sources["softmax/weights"].names == ("Variable_1",)
    assert found.model is not None
    assert (found.model.classes, found.model.dense_units) == (1, 0)
    assert "dense/kernel" not in found.sources
    assert found.unassigned == ("Variable",)
    assert any("in front of the recurrent one or behind it: nothing decides" in note for note in found.notes)


def test_a_bias_of_one_row_is_a_bias():
    found = identified({**LSTM, "w": (64, 5), "b": (1, 5)})
    assert found.sources["softmax/bias"].names == ("b",)
    assert found.sources["softmax/bias"].shape == (5,)


@pytest.mark.parametrize("shape", [(100, 1, 500), (3, 3, 1, 4), (7, 9)])
def test_what_is_left_over_counts_whatever_its_shape(shape):
    head = {"w": (64, 2), "b": (2,)}
    assert identified({**LSTM, **head, "attention/context": shape}).unassigned == ("attention/context",)
    slots = {"w/Adam": (64, 2), "w/Adam_1": (64, 2)}
    # Trained beside the model: what has no slots was not trained.
    assert identified({**LSTM, **head, **slots, "frozen/context": (100, 1, 500)}).unassigned == ()
    trained = {"norm/gamma": (4,), "norm/gamma/Adam": (4,), "norm/gamma/Adam_1": (4,)}
    assert identified({**LSTM, **head, **slots, **trained}).unassigned == ("norm/gamma",)


def test_an_object_checkpoint_of_tensorflow_2_is_named():
    names = {"model/lstm/cell/kernel/.ATTRIBUTES/VARIABLE_VALUE": (7, 16)}
    assert "TensorFlow 2 object checkpoint" in identified(names).problem


def test_the_dead_variable_of_the_tutorial_disturbs_nothing():
    for shape in ((24, 250, 300), (24, 250, 50), (24, 25, 300), (24, 250, 64)):
        found = identified({**LSTM, "Variable": shape, "Variable_1": (64, 2), "Variable_2": (2,)})
        assert found.unread == ("Variable",)
        assert found.unassigned == ()


def test_both_readouts_of_a_bidirectional_model_are_recognised():
    cells = {
        f"bidirectional_rnn/{way}/{name[4:]}": shape for way in ("fw", "bw") for name, shape in LSTM.items()
    }
    for width in (64, 128):
        found = identified({**cells, "w": (width, 2), "b": (2,)})
        assert found.sources["softmax/weights"].shape == (width, 2)


def test_a_scope_called_like_a_cell_may_hold_a_softmax():
    shapes = {f"lstm_cell/{name}": shape for name, shape in LSTM.items()}
    found = identified({**shapes, "lstm_cell/softmax/w": (64, 2), "lstm_cell/softmax/b": (2,)})
    assert found.sources["softmax/weights"].names == ("lstm_cell/softmax/w",)


@pytest.mark.parametrize(
    ("shapes", "reason"),
    [
        ({}, "no variable bears the name"),
        ({"lstm/kernel": (50, 256), "lstm/recurrent_kernel": (64, 256), "lstm/bias": (256,)}, "Keras"),
        ({"cudnn_lstm/opaque_kernel": (9000,)}, "CudnnLSTM"),
        ({"rnn/basic_lstm_cell/kernel": (114, 256)}, "without its bias"),
        ({"rnn/basic_lstm_cell/bias": (256,)}, "without its kernel"),
        ({**LSTM, "rnn/basic_lstm_cell/bias": (255,)}, "fits no"),
        ({**LSTM, "rnn/basic_lstm_cell/bias": (0,)}, "fits no"),
        ({**LSTM, "rnn/basic_lstm_cell/bias": ()}, "fits no"),
        ({**LSTM, "rnn/basic_lstm_cell/kernel": (64, 256)}, "64 rows"),
        ({**LSTM, "rnn/basic_lstm_cell/kernel": ()}, "0 rows"),
        ({**LSTM, "rnn/basic_lstm_cell/kernel": (114, 255)}, "expected"),
        ({**LSTM, "rnn/basic_lstm_cell/w_f_diag": (64,)}, "w_f_diag"),
        ({**LSTM, "rnn/basic_lstm_cell/projection/kernel": (64, 32)}, "projection"),
        (
            {**LSTM, "rnn/gru_cell/gates/kernel": (114, 128), "rnn/gru_cell/gates/bias": (128,)},
            "different kinds",
        ),
        ({"rnn/multi_rnn_cell/cell_1/" + name[4:]: shape for name, shape in LSTM.items()}, "layer 0"),
        (
            {"bidirectional_rnn/bw/" + name[4:]: shape for name, shape in LSTM.items()},
            "direction fw is missing",
        ),
        ({"RNN/LSTMCell/W_0": (57, 256), "RNN/LSTMCell/W_2": (57, 256), "RNN/LSTMCell/B": (256,)}, "missing"),
        (
            {"RNN/LSTMCell/W_0": (57, 256), "RNN/LSTMCell/W_1": (57, 9), "RNN/LSTMCell/B": (256,)},
            "fit together",
        ),
        (
            {**LSTM, "RNN/basic_lstm_cell/kernel": (114, 256), "RNN/basic_lstm_cell/bias": (256,)},
            "2 recurrent",
        ),
        ({**LSTM, "rnn/basic_lstm_cell_1/kernel": (114, 256)}, "same weight"),
    ],
)
def test_what_makes_no_model_is_refused_with_the_reason(shapes, reason):
    found = identified(shapes)
    assert found.model is None
    assert reason in found.problem


def of_widths(scope: str, *sizes: Tuple[int, int]) -> Dict[str, Tuple[int, ...]]:
    """A layer for each (inputs, units)."""
    shapes = {}
    for layer, (inputs, units) in enumerate(sizes):
        name = f"{scope.format(layer=layer)}/basic_lstm_cell"
        shapes.update({f"{name}/kernel": (inputs + units, 4 * units), f"{name}/bias": (4 * units,)})
    return shapes


def widths_of(shapes: Dict[str, Tuple[int, ...]]) -> Tuple[int, ...]:
    model = identified(shapes).model
    assert model is not None
    return model.widths


@pytest.mark.parametrize("scope", ["rnn/multi_rnn_cell/cell_{layer}", "lstm{layer}/rnn"])
def test_layers_of_different_widths_are_told_by_what_each_reads(scope):
    found = identified({**of_widths(scope, (50, 64), (64, 32), (32, 50)), "w": (50, 2), "b": (2,)})
    assert found.model is not None, found.problem
    assert (found.model.inputs, found.model.units, found.model.layers) == (50, 64, 3)
    assert found.model.widths == (64, 32, 50)
    assert found.model.classes == 2


def test_two_loops_are_layers_in_the_only_order_or_in_that_of_their_numbers():
    lower, upper = of_widths("b/rnn", (50, 64)), of_widths("a/rnn", (64, 32))
    assert widths_of({**lower, **upper}) == (64, 32)
    turned = of_widths("a/rnn", (64, 50))  # either may read the other
    assert "nothing says which is meant" in identified({**lower, **turned}).problem
    assert widths_of(of_widths("lstm{layer}/rnn", (50, 64), (64, 50))) == (64, 50)


def test_a_layer_that_does_not_read_the_one_below_is_refused():
    shapes = of_widths("rnn/multi_rnn_cell/cell_{layer}", (50, 64), (60, 32))
    assert "layer 1 of direction fw reads 60 numbers, expected 64" in identified(shapes).problem


def bidirectional(scope: str, upper: int, layers: int = 2) -> Dict[str, Tuple[int, ...]]:
    """Layers of 64 units in two directions; the upper ones read ``upper`` numbers."""
    shapes = {}
    for layer in range(layers):
        for way in ("fw", "bw"):
            name = scope.format(way=way, layer=layer) + "/basic_lstm_cell/"
            shapes.update({name + "kernel": ((upper if layer else 50) + 64, 256), name + "bias": (256,)})
    return shapes


@pytest.mark.parametrize(
    ("scope", "upper", "joined"),
    [
        ("bidirectional_rnn/{way}/multi_rnn_cell/cell_{layer}", 64, False),
        ("stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn/{way}", 128, True),
        ("stack_bidirectional_rnn/cell_{layer}/{way}", 128, True),
        ("StackRNN/Layer{layer}/BiRNN/{way}", 128, True),
        (
            "model/stack_bidirectional_rnn/cell_0/bidirectional_rnn/{way}/multi_rnn_cell/cell_{layer}",
            64,
            False,
        ),
    ],
)
def test_layers_that_read_both_directions_below_are_told_from_two_stacks(scope, upper, joined):
    for layers in (2, 3):
        found = identified({**bidirectional(scope, upper, layers), "w": (128, 1), "b": (1,)})
        assert found.model is not None
        assert (found.model.layers, found.model.directions, found.model.joined) == (layers, 2, joined)
        names = found.sources["lstm/bw/1/kernel"].names
        assert names == (scope.format(way="bw", layer=1) + "/basic_lstm_cell/kernel",)


@pytest.mark.parametrize(
    ("scope", "upper", "reason"),
    [
        (
            "bidirectional_rnn/{way}/multi_rnn_cell/cell_{layer}",
            128,
            "by their names they read one direction",
        ),
        ("stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn/{way}", 64, "they read both directions"),
        ("stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn/{way}", 192, "reads 192 numbers"),
    ],
)
def test_layers_whose_names_and_shapes_contradict_each_other_are_refused(scope, upper, reason):
    found = identified(bidirectional(scope, upper))
    assert found.model is None
    assert reason in found.problem


def test_numbered_bidirectional_scopes_are_joined_layers_and_others_are_not():
    found = identified(bidirectional("layer_{layer}/bidirectional_rnn/{way}", 128, layers=3))
    assert found.model is not None
    assert (found.model.layers, found.model.joined) == (3, True)
    assert "each reading both directions below it" in found.notes[0]
    own_stacks = bidirectional("layer_{layer}/bidirectional_rnn/{way}", 64)
    assert "2 recurrent models" in identified(own_stacks).problem
    words = {
        name.replace("0/bi", "words/bi").replace("1/bi", "sentences/bi"): shape
        for name, shape in bidirectional("{layer}/bidirectional_rnn/{way}", 128).items()
    }
    assert "2 recurrent models" in identified(words).problem


RESET_AFTER: Dict[str, Tuple[int, ...]] = {
    "rnn/reset_after_gru_cell/kernel": (50, 192),
    "rnn/reset_after_gru_cell/recurrent_kernel": (64, 192),
    "rnn/reset_after_gru_cell/bias": (2, 192),
}


def test_a_gru_with_a_recurrent_kernel_and_two_biases_is_another_cell():
    found = identified({**RESET_AFTER, "w": (64, 1), "b": (1,)})
    assert found.model is not None
    assert (found.model.cell, found.model.inputs, found.model.units) == ("gru_reset_after", 50, 64)
    assert found.sources["gru/fw/0/recurrent_kernel"].shape == (64, 192)


@pytest.mark.parametrize(
    ("part", "shape", "reason"),
    [
        ("bias", (192,), "fits no"),
        ("bias", (3, 192), "bias [3, 192], expected [2, 192]"),
        ("bias", (2, 191), "fits no"),
        ("recurrent_kernel", (50, 192), "recurrent_kernel [50, 192], expected [64, 192]"),
        ("kernel", (0, 192), "0 rows"),
        ("kernel", (50, 128), "kernel [50, 128], expected [50, 192]"),
    ],
)
def test_such_a_gru_of_impossible_shapes_is_refused(part, shape, reason):
    found = identified({**RESET_AFTER, f"rnn/reset_after_gru_cell/{part}": shape})
    assert found.model is None
    assert reason in found.problem


def test_a_kerass_gru_is_not_taken_for_it():
    """Its gates may be hard sigmoids, and its bias one row: the names do not tell."""
    for scope in ("rnn/gru_cell", "gru/gru_cell"):
        keras = {
            name.replace("rnn/reset_after_gru_cell", scope): shape for name, shape in RESET_AFTER.items()
        }
        assert "the part recurrent_kernel is none of a plain cell" in identified(keras).problem


def test_pieces_are_joined_along_the_axis_that_gives_the_width():
    rows = {f"rnn/basic_lstm_cell/kernel/part_{part}": (57, 256) for part in range(2)}
    columns = {f"rnn/basic_lstm_cell/kernel/part_{part}": (114, 128) for part in range(2)}
    bias = {"rnn/basic_lstm_cell/bias": (256,)}
    for pieces, axis in ((rows, 0), (columns, 1)):
        source = identified({**pieces, **bias}).sources["lstm/fw/0/kernel"]
        assert (source.axis, source.shape) == (axis, (114, 256))


def test_separate_scopes_are_layers_only_where_one_order_fits():
    def scopes(**inputs: int) -> Dict[str, Tuple[int, ...]]:
        found: Dict[str, Tuple[int, ...]] = {}
        for scope, width in inputs.items():
            found[f"{scope}/basic_lstm_cell/kernel"] = (width + 64, 256)
            found[f"{scope}/basic_lstm_cell/bias"] = (256,)
        return found

    upper_first = identified(scopes(above=64, below=50))
    assert upper_first.model is not None
    assert upper_first.model.layers == 2
    assert upper_first.sources["lstm/fw/0/kernel"].names == ("below/basic_lstm_cell/kernel",)
    assert "below, above" in upper_first.notes[0]
    assert identified(scopes(a=64, b=64)).model is None
    assert identified(scopes(a=50, b=50)).model is None
    assert identified(scopes(a=50, b=64, c=64)).model is None
    assert identified(scopes(lstm1=64, lstm2=50, lstm3=64)).model is None
    assert identified(scopes(**{"x1/y2": 50, "x2/y1": 64, "x3/y3": 64})).model is None
    assert identified(scopes(**{"x1/y1": 50, "x1/y2": 64, "x2/y3": 64})).model is not None
    numbered = identified(scopes(lstm1=50, lstm2=64, lstm3=64))
    assert numbered.sources["lstm/fw/2/kernel"].names == ("lstm3/basic_lstm_cell/kernel",)


def test_a_wide_softmax_over_the_inputs_is_no_embedding():
    cell = {"rnn/basic_lstm_cell/kernel": (28 + 1024, 4096), "rnn/basic_lstm_cell/bias": (4096,)}
    found = identified({**cell, "w": (1024, 28), "b": (28,)})
    assert found.sources["softmax/weights"].names == ("w",)
    assert "embedding" not in found.sources
