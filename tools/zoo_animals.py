"""What is in the zoo of checkpoints: every age, cell and oddity, with names and values.

The names are typed here as each age wrote them, not taken from the package, and the values follow
from each weight's role alone, so that tests can say what must come out without asking the reader.
"""

import zlib
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

V1, V2 = 1, 2
INPUTS, UNITS, CLASSES = 3, 4, 2
SLOTS = ("Adam", "Adam_1")
POWERS = {"beta1_power": 0.729, "beta2_power": 0.997002999}
Shape = Tuple[int, ...]


class Animal(NamedTuple):
    """One checkpoint of the zoo.

    Attributes:
      name: file name without step.
      weights: role -> (variable name, shape).
      about: what the reader must say of it: model fields, or ``{"refused": phrase}``.
      format: V1 or V2.
      step: in the file name; None leaves it out.
      slots: whether Adam's slots and powers are there.
      extra: variables of no role: name -> values.
      shards: how many data files.
      parts: how many slices each matrix is saved in (a partitioned variable).
      values: role -> values, where they do not follow from the role.
      untrained: beginning of the roles that have no slots, for a part that gets no gradient.
      pieces: role -> variables that hold its rows, for weights that were split by name.
    """

    name: str
    weights: Dict[str, Tuple[str, Shape]]
    about: Dict[str, Any]
    format: int = V2
    step: Optional[int] = 7
    slots: bool = True
    extra: Mapping[str, np.ndarray] = {}
    shards: int = 1
    parts: int = 1
    values: Mapping[str, np.ndarray] = {}
    untrained: str = "nothing"
    pieces: Mapping[str, Sequence[str]] = {}


def values_of(role: str, shape: Shape) -> np.ndarray:
    """The values of a role or a slot of one: multiples of 1/128 below 2, so exact in any float type."""
    generator = np.random.RandomState(zlib.crc32(role.encode("utf-8")))
    return (generator.randint(-255, 256, shape) / 128.0).astype(np.float32)


LINEAR = {"kernel": "Linear/Matrix", "bias": "Linear/Bias"}
OLD_LSTM = {"kernel": "W_0", "bias": "B"}
OLD_PEEPHOLES = {"w_i_diag": "W_I_diag", "w_f_diag": "W_F_diag", "w_o_diag": "W_O_diag"}
WEIGHTS = {"kernel": "weights", "bias": "biases"}
KERNEL = {"kernel": "kernel", "bias": "bias"}
PEEPHOLES = {part: part for part in OLD_PEEPHOLES}
COUPLED = {**OLD_LSTM, "w_f_diag": "W_F_diag", "w_o_diag": "W_O_diag"}


def _gru(first: str, second: str, kernel: str, bias: str) -> Dict[str, str]:
    return {
        "gates/kernel": first + kernel,
        "gates/bias": first + bias,
        "candidate/kernel": second + kernel,
        "candidate/bias": second + bias,
    }


# (age, cell) -> the class's scope and part -> name, as that age's TensorFlow wrote them
CELLS: Dict[str, Dict[str, Tuple[str, Dict[str, str]]]] = {
    "0.12": {
        "basic_rnn": ("BasicRNNCell", LINEAR),
        "basic_lstm": ("BasicLSTMCell", LINEAR),
        "lstm_peephole": ("LSTMCell", {**OLD_LSTM, **OLD_PEEPHOLES}),
        "lstm_coupled": ("CoupledInputForgetGateLSTMCell", OLD_LSTM),
        "gru": ("GRUCell", _gru("Gates/Linear/", "Candidate/Linear/", "Matrix", "Bias")),
    },
    "1.0": {
        "basic_rnn": ("basic_rnn_cell", WEIGHTS),
        "basic_lstm": ("basic_lstm_cell", WEIGHTS),
        "lstm_peephole": ("lstm_cell", {**WEIGHTS, **PEEPHOLES}),
        "lstm_coupled": ("coupled_input_forget_gate_lstm_cell", OLD_LSTM),
        "gru": ("gru_cell", _gru("gates/", "candidate/", "weights", "biases")),
    },
    "1.15": {
        "basic_rnn": ("basic_rnn_cell", KERNEL),
        "basic_lstm": ("basic_lstm_cell", KERNEL),
        "lstm_peephole": ("lstm_cell", {**KERNEL, **PEEPHOLES}),
        "lstm_coupled": ("coupled_input_forget_gate_lstm_cell", OLD_LSTM),
        "gru": ("gru_cell", _gru("gates/", "candidate/", "kernel", "bias")),
    },
}
# age -> (one direction, two directions, one layer of several)
SCOPES = {
    "0.12": ("RNN/", ("BiRNN/FW/", "BiRNN/BW/"), "MultiRNNCell/Cell{}/"),
    "1.0": ("rnn/", ("bidirectional_rnn/fw/", "bidirectional_rnn/bw/"), "multi_rnn_cell/cell_{}/"),
    "1.15": ("rnn/", ("bidirectional_rnn/fw/", "bidirectional_rnn/bw/"), "multi_rnn_cell/cell_{}/"),
}
KINDS = {"basic_rnn": "rnn", "gru": "gru"}
BLOCKS = {"basic_rnn": 1, "basic_lstm": 4, "lstm_peephole": 4, "lstm_coupled": 3, "gates": 2, "candidate": 1}


def part_shape(cell: str, part: str, inputs: int, units: int) -> Shape:
    """The shape of one part of a cell."""
    if part.endswith("diag"):
        return (units,)
    blocks = BLOCKS[part.rpartition("/")[0] or cell]
    return (inputs + units, blocks * units) if part.endswith("kernel") else (blocks * units,)


def cell_weights(
    age: str,
    cell: str,
    layers: int = 1,
    directions: int = 1,
    inputs: int = INPUTS,
    units: int = UNITS,
    scope: Optional[str] = None,
    parts: Optional[Dict[str, str]] = None,
) -> Dict[str, Tuple[str, Shape]]:
    """Role -> (variable name, shape) of the recurrent part of a model."""
    single, both, stack = SCOPES[age]
    found = {}
    class_scope, named = CELLS[age][cell]
    for direction in range(directions):
        for layer in range(layers):
            where = (single if directions == 1 else both[direction]) if scope is None else scope
            where += stack.format(layer) if layers > 1 else ""
            for part, name in (parts or named).items():
                role = f"{KINDS.get(cell, 'lstm')}/{('fw', 'bw')[direction]}/{layer}/{part}"
                shape = part_shape(cell, part, units if layer else inputs, units)
                found[role] = (f"{where}{class_scope}/{name}", shape)
    return found


def softmax(
    width: int, classes: int = CLASSES, names: Sequence[str] = ("softmax/weights", "softmax/bias")
) -> Any:
    """The two roles of a softmax under any names."""
    return {"softmax/weights": (names[0], (width, classes)), "softmax/bias": (names[1], (classes,))}


def about(cell: str, layers: int = 1, directions: int = 1, inputs: int = INPUTS, units: int = UNITS) -> Any:
    """The fields of the model that must be recognised."""
    return {
        "cell": cell,
        "layers": layers,
        "directions": directions,
        "inputs": inputs,
        "units": units,
        "classes": CLASSES,
    }


def regular_animals() -> Iterator[Animal]:
    """Every age with every cell, in one layer, in two, and in two directions."""
    for age, cells in CELLS.items():
        for cell in cells:
            for layers, directions in ((1, 1), (2, 1), (1, 2), (2, 2)):
                if (layers, directions) == (2, 2) and cell not in ("basic_lstm", "gru"):
                    continue
                readout = softmax(UNITS * directions)
                yield Animal(
                    f"{age}-{cell}-{layers}x{directions}",
                    {**cell_weights(age, cell, layers, directions), **readout},
                    about(cell, layers, directions),
                    format=V1 if age == "0.12" else V2,
                )


def odd_animals() -> Iterator[Animal]:
    """What people's own scripts left behind."""
    lstm = cell_weights("1.15", "basic_lstm")
    plain = {**lstm, **softmax(UNITS)}
    known = about("basic_lstm")
    old = cell_weights("0.12", "basic_lstm")
    yield Animal(
        "tutorial",
        {**lstm, **softmax(UNITS, names=("Variable_1", "Variable_2"))},
        known,
        extra={"Variable": np.zeros((2, 5, 3), np.float32)},
        step=90000,
    )
    yield Animal("mnist-2016", {**old, **softmax(UNITS, names=("weights", "biases"))}, known, format=V1)
    names = ("Prediction_Parameters/Weights", "Prediction_Parameters/Bias")
    wide = cell_weights("1.15", "basic_lstm", layers=2, inputs=30, units=6)
    yield Animal("own-names", {**wide, **softmax(6, names=names)}, about("basic_lstm", 2, inputs=30, units=6))
    upper = cell_weights("1.0", "basic_lstm", scope="RNN/")
    yield Animal("upper-rnn-1.0", {**upper, **softmax(UNITS, names=("W", "b"))}, known)
    scoped = cell_weights("1.15", "gru", scope="model/encoder/rnn/")
    yield Animal(
        "deep-scope", {**scoped, **softmax(UNITS, names=("model/out_w", "model/out_b"))}, about("gru")
    )
    coupled = cell_weights("1.15", "lstm_coupled", parts=COUPLED)
    yield Animal("coupled-peepholes", {**coupled, **softmax(UNITS)}, about("lstm_coupled"))
    yield Animal("no-optimizer", plain, known, slots=False)
    yield Animal("no-step", plain, known, step=None, extra={"global_step": np.array(1234, np.int64)})
    yield Animal("no-softmax", lstm, {**known, "classes": None})
    yield Animal("two-shards", plain, known, shards=2)
    yield Animal("two-shards-v1", {**old, **softmax(UNITS)}, known, format=V1, shards=2)
    yield Animal("partitioned", plain, known, parts=3, slots=False)
    yield Animal("partitioned-v1", {**old, **softmax(UNITS)}, known, format=V1, parts=2, slots=False)
    yield Animal("partitioned-shards", plain, known, parts=2, shards=2, slots=False)
    one_direction = {**cell_weights("1.15", "basic_lstm", 1, 2), **softmax(UNITS)}
    yield Animal("backward-state", one_direction, about("basic_lstm", 1, 2), untrained="lstm/fw")
    split = {"lstm/fw/0/kernel": [f"RNN/LSTMCell/W_{shard}" for shard in range(3)]}
    peephole = {**cell_weights("0.12", "lstm_peephole"), **softmax(UNITS)}
    yield Animal("named-shards", peephole, about("lstm_peephole"), format=V1, pieces=split)
    split = {"lstm/fw/0/kernel": [f"rnn/basic_lstm_cell/weights/part_{part}" for part in range(2)]}
    middle = {**cell_weights("1.0", "basic_lstm"), **softmax(UNITS)}
    yield Animal("named-parts", middle, known, pieces=split)
    stacked = cell_weights("1.15", "basic_lstm", scope="lstm1/")
    above = cell_weights("1.15", "basic_lstm", scope="lstm2/", inputs=UNITS)
    stacked.update({role.replace("/0/", "/1/"): weight for role, weight in above.items()})
    yield Animal("stacked-scopes", {**stacked, **softmax(UNITS)}, about("basic_lstm", 2))
    words = {"vocabulary": np.array([b"a", b"film"])}
    yield Animal("strings", plain, known, extra=words, slots=False)
    vectors = {"embedding": ("embeddings/W", (9, INPUTS))}
    yield Animal("embedding", {**plain, **vectors}, known)


def bad_animals() -> Iterator[Animal]:
    """What must be refused, or read with a warning, and why."""
    lstm = cell_weights("1.15", "basic_lstm")
    plain = {**lstm, **softmax(UNITS)}
    spoiled = values_of("lstm/fw/0/kernel", (INPUTS + UNITS, 4 * UNITS))
    spoiled[0, :3] = np.nan
    yield Animal("nan", plain, {"refused": "NaN"}, values={"lstm/fw/0/kernel": spoiled})
    halves = {role: values_of(role, shape).astype(np.float64) for role, (_, shape) in plain.items()}
    yield Animal("float64", plain, {"refused": "float64"}, values=halves, slots=False)
    wrong = {"x/basic_lstm_cell/kernel": np.ones((7, 18), np.float32), "x/basic_lstm_cell/bias": np.ones(18)}
    yield Animal("no-cell-shape", {}, {"refused": "fits no"}, extra=_floats(wrong), slots=False)
    second = {f"other/{name}": values_of(name, shape) for name, shape in lstm.values()}
    yield Animal("two-models", plain, {"refused": "2 recurrent models"}, extra=second, slots=False)
    rival = {"a/w": np.ones((UNITS, CLASSES)), "a/b": np.ones(CLASSES), "c/w": np.zeros((UNITS, CLASSES))}
    yield Animal("two-softmaxes", lstm, {"refused": "softmax"}, extra=_floats(rival), slots=False)
    projected = {"in/w": np.ones((5, INPUTS)), "in/b": np.ones(INPUTS)}
    yield Animal("input-layer", plain, {"refused": "may be a layer"}, extra=_floats(projected), slots=False)
    foreign = {"rnn/layer_norm_basic_lstm_cell/kernel": np.ones((7, 16))}
    yield Animal("unknown-cell", {}, {"refused": "layer_norm"}, extra=_floats(foreign), slots=False)
    nothing = {"conv1/weights": np.ones((3, 3, 1, 2)), "conv1/biases": np.ones(2)}
    yield Animal("no-cell", {}, {"refused": "no variable"}, extra=_floats(nothing), slots=False)


def _floats(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def variables_of(animal: Animal) -> Dict[str, np.ndarray]:
    """Variable name -> values of the whole checkpoint."""
    found = dict(animal.extra)
    for role, (name, shape) in animal.weights.items():
        kinds = {"": animal.values.get(role, values_of(role, shape))}
        has_slots = animal.slots and not role.startswith(animal.untrained)
        kinds.update({f"/{slot}": values_of(f"{slot} of {role}", shape) for slot in SLOTS if has_slots})
        names = animal.pieces.get(role, [name])
        for suffix, values in kinds.items():
            parts = np.array_split(values, len(names))
            found.update({piece + suffix: part for piece, part in zip(names, parts)})
    if animal.slots:
        found.update({name: np.float32(value) for name, value in POWERS.items()})
    return found


def all_animals() -> List[Animal]:
    """The zoo, in its order."""
    return [*regular_animals(), *odd_animals(), *bad_animals()]
