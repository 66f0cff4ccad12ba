"""Variable names of every version, taken apart; and optimizer variables told from the model's."""

import pytest

from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.names import NAMING_0_12, NAMING_1_0, NAMING_1_2, joins_directions, parse_name
from tf1_lstm.checkpoints.slots import separate


@pytest.mark.parametrize(
    ("name", "scope", "cell", "direction", "layer", "part", "naming"),
    [
        ("RNN/BasicLSTMCell/Linear/Matrix", "RNN", "basic_lstm", 0, 0, "kernel", NAMING_0_12),
        ("RNN/BasicLSTMCell/Linear/Bias", "RNN", "basic_lstm", 0, 0, "bias", NAMING_0_12),
        ("BiRNN/FW/BasicLSTMCell/Linear/Matrix", "BiRNN", "basic_lstm", 0, 0, "kernel", NAMING_0_12),
        ("BiRNN/BW/GRUCell/Gates/Linear/Bias", "BiRNN", "gru", 1, 0, "gates/bias", NAMING_0_12),
        ("BiRNN_BW/BasicRNNCell/Linear/Matrix", "BiRNN", "basic_rnn", 1, 0, "kernel", NAMING_0_12),
        (
            "RNN/MultiRNNCell/Cell1/LSTMCell/W_F_diag",
            "RNN/MultiRNNCell",
            "basic_lstm|lstm_peephole",
            0,
            1,
            "w_f_diag",
            NAMING_0_12,
        ),
        ("rnn/basic_lstm_cell/weights", "rnn", "basic_lstm", 0, 0, "kernel", NAMING_1_0),
        ("RNN/basic_lstm_cell/biases", "RNN", "basic_lstm", 0, 0, "bias", NAMING_1_0),
        (
            "bidirectional_rnn/bw/gru_cell/candidate/kernel",
            "bidirectional_rnn",
            "gru",
            1,
            0,
            "candidate/kernel",
            NAMING_1_2,
        ),
        (
            "rnn/multi_rnn_cell/cell_2/lstm_cell/w_i_diag",
            "rnn/multi_rnn_cell",
            "basic_lstm|lstm_peephole",
            0,
            2,
            "w_i_diag",
            NAMING_1_2,
        ),
        ("model/rnn_1/basic_rnn_cell/kernel", "model/rnn_1", "basic_rnn", 0, 0, "kernel", NAMING_1_2),
        ("lstm_cell/rnn/basic_lstm_cell_3/bias", "lstm_cell/rnn", "basic_lstm", 0, 0, "bias", NAMING_1_2),
        ("rnn/coupled_input_forget_gate_lstm_cell/W_0", "rnn", "lstm_coupled", 0, 0, "kernel", NAMING_1_2),
        ("rnn/lstm_block_wrapper/kernel", "rnn", "basic_lstm|lstm_peephole", 0, 0, "kernel", NAMING_1_2),
        (
            "stack_bidirectional_rnn/cell_1/bidirectional_rnn/bw/basic_lstm_cell/kernel",
            "stack_bidirectional_rnn/bidirectional_rnn",
            "basic_lstm",
            1,
            1,
            "kernel",
            NAMING_1_2,
        ),
        (
            "StackRNN/Layer2/BiRNN/FW/GRUCell/Gates/Linear/Bias",
            "StackRNN/BiRNN",
            "gru",
            0,
            2,
            "gates/bias",
            NAMING_0_12,
        ),
        (
            "rnn/reset_after_gru_cell/recurrent_kernel",
            "rnn",
            "gru_reset_after",
            0,
            0,
            "recurrent_kernel",
            NAMING_1_2,
        ),
        ("layer_1/rnn/gru_cell/gates/bias", "layer_1/rnn", "gru", 0, 0, "gates/bias", NAMING_1_2),
    ],
)
def test_a_name_says_cell_direction_layer_and_part(name, scope, cell, direction, layer, part, naming):
    found = parse_name(name)
    assert found is not None
    assert (found.scope, found.cell, found.direction, found.layer, found.part, found.naming) == (
        (scope, cell, direction, layer, part, naming)
    )


@pytest.mark.parametrize(
    ("scope", "joined"),
    [
        ("rnn", None),
        ("", None),
        ("bidirectional_rnn/multi_rnn_cell", False),
        ("RNN/MultiRNNCell", False),
        ("model_1/stack_bidirectional_rnn_2/bidirectional_rnn", True),
        ("StackRNN/BiRNN", True),
        ("stack_bidirectional_rnn/bidirectional_rnn/multi_rnn_cell", False),
    ],
)
def test_a_stacks_name_says_whether_its_layers_read_both_directions(scope, joined):
    assert joins_directions(scope) is joined


@pytest.mark.parametrize(
    ("name", "shard"),
    [
        ("RNN/LSTMCell/W_2", 2),
        ("RNN/BasicLSTMCell/Linear/Matrix_1", 1),
        ("rnn/basic_lstm_cell/weights/part_3", 3),
        ("rnn/basic_lstm_cell/kernel", None),
    ],
)
def test_pieces_of_a_weight_are_numbered(name, shard):
    found = parse_name(name)
    assert found is not None
    assert (found.part, found.shard) == ("kernel", shard)


@pytest.mark.parametrize(
    "name", ["Variable_1", "softmax/weights", "cell_0/weights", "rnn/multi_rnn_cell/x", "W"]
)
def test_other_names_belong_to_no_cell(name):
    assert parse_name(name) is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("rnn/layer_norm_basic_lstm_cell/kernel", "?layer_norm_basic_lstm_cell"),
        ("rnn/attention_cell_wrapper/kernel", "?attention_cell_wrapper"),
        ("rnn/my_own_cell/kernel", "?my_own_cell"),
    ],
)
def test_a_cell_that_is_not_known_is_not_taken_for_one_that_is(name, cell):
    found = parse_name(name)
    assert found is not None
    assert found.cell == cell


def test_a_slot_belongs_to_the_variable_whose_name_and_shape_it_has():
    specs = {
        "w": VariableSpec((2, 3), "float32"),
        "w/Adam": VariableSpec((2, 3), "float32"),
        "train/w/Adam_1": VariableSpec((2, 3), "float32"),
        "w/Momentum": VariableSpec((3,), "float32"),  # another shape: not this variable's
        "gone/Adam": VariableSpec((2, 3), "float32"),
        "train/beta1_power": VariableSpec((), "float32"),
        "global_step": VariableSpec((), "int64"),
    }
    separated = separate(specs)
    assert separated.slots == {"w": {"Adam": "w/Adam", "Adam_1": "train/w/Adam_1"}}
    assert separated.scalars == {"beta1_power": "train/beta1_power", "global_step": "global_step"}
    assert separated.primaries == ["gone/Adam", "w", "w/Momentum"]
