"""The checkpoint cases: every version, cell and oddity, with names and values.

The names are typed as each version wrote them, not taken from the package, and the values follow from
each weight's role alone, so that tests can say what must come out without asking the reader.
"""

import zlib
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tools.checkpoint_case_names import CELLS, CLASSES, COUPLED, INPUTS, UNITS, Shape, cell_weights, softmax

V1, V2 = 1, 2
POWERS = {"beta1_power": 0.729, "beta2_power": 0.997002999}
# optimizer -> its slots for each weight, and its own variables
OPTIMIZERS: Dict[str, Tuple[Sequence[str], Mapping[str, float]]] = {
    "Adam": (("Adam", "Adam_1"), POWERS),
    "RMSProp": (("RMSProp",), {}),
    "TensorFlow's RMSProp": (("RMSProp", "RMSProp_1"), {}),
}


class CheckpointCase(NamedTuple):
    """One checkpoint of the checkpoint cases.

    Attributes:
      name: file name without step.
      weights: role -> (variable name, shape).
      about: what the reader must say of it: model fields, or ``{"refused": phrase}``.
      format: V1 or V2.
      step: in the file name; None leaves it out.
      slots: whether the optimizer's slots and variables are there.
      extra: variables of no role: name -> values.
      shards: how many data files.
      parts: how many slices each matrix is saved in (a partitioned variable).
      values: role -> values, where they do not follow from the role.
      untrained: beginning of the roles that have no slots, for a part that gets no gradient.
      pieces: role -> variables that hold its rows, for weights that were split by name.
      optimizer: a key of ``OPTIMIZERS``.
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
    optimizer: str = "Adam"


def values_of(role: str, shape: Shape) -> np.ndarray:
    """The values of a role or a slot of one: multiples of 1/128 below 2, so exact in any float type."""
    generator = np.random.RandomState(zlib.crc32(role.encode("utf-8")))
    return (generator.randint(-255, 256, shape) / 128.0).astype(np.float32)


def about(
    cell: str, layers: int = 1, directions: int = 1, inputs: int = INPUTS, units: int = UNITS, **more: Any
) -> Any:
    """The fields of the model that must be recognised."""
    return {
        "cell": cell,
        "layers": layers,
        "directions": directions,
        "inputs": inputs,
        "units": units,
        "classes": CLASSES,
        **more,
    }


def regular_cases() -> Iterator[CheckpointCase]:
    """Every version with every cell, in one layer, in two, and in two directions."""
    for version, cells in CELLS.items():
        for cell in cells:
            for layers, directions in ((1, 1), (2, 1), (1, 2), (2, 2)):
                if (layers, directions) == (2, 2) and cell not in ("basic_lstm", "gru"):
                    continue
                for joined in (False, True) if (layers, directions) == (2, 2) else (False,):
                    weights = cell_weights(version, cell, layers, directions, joined=joined)
                    yield CheckpointCase(
                        f"{version}-{cell}-{layers}x{directions}" + ("-joined" if joined else ""),
                        {**weights, **softmax(UNITS * directions)},
                        about(cell, layers, directions, joined=joined),
                        format=V1 if version == "0.12" else V2,
                    )


def odd_cases() -> Iterator[CheckpointCase]:
    """What people's own scripts left behind."""
    lstm = cell_weights("1.15", "basic_lstm")
    plain = {**lstm, **softmax(UNITS)}
    known = about("basic_lstm")
    old = cell_weights("0.12", "basic_lstm")
    yield CheckpointCase(
        "tutorial",
        {**lstm, **softmax(UNITS, names=("Variable_1", "Variable_2"))},
        known,
        extra={"Variable": np.zeros((2, 5, 3), np.float32)},
        step=90000,
    )
    yield CheckpointCase(
        "mnist-2016", {**old, **softmax(UNITS, names=("weights", "biases"))}, known, format=V1
    )
    names = ("Prediction_Parameters/Weights", "Prediction_Parameters/Bias")
    wide = cell_weights("1.15", "basic_lstm", layers=2, inputs=30, units=6)
    yield CheckpointCase(
        "own-names", {**wide, **softmax(6, names=names)}, about("basic_lstm", 2, inputs=30, units=6)
    )
    upper = cell_weights("1.0", "basic_lstm", scope="RNN/")
    yield CheckpointCase("upper-rnn-1.0", {**upper, **softmax(UNITS, names=("W", "b"))}, known)
    scoped = cell_weights("1.15", "gru", scope="model/encoder/rnn/")
    yield CheckpointCase(
        "deep-scope", {**scoped, **softmax(UNITS, names=("model/out_w", "model/out_b"))}, about("gru")
    )
    coupled = cell_weights("1.15", "lstm_coupled", parts=COUPLED)
    yield CheckpointCase("coupled-peepholes", {**coupled, **softmax(UNITS)}, about("lstm_coupled"))
    yield CheckpointCase("no-optimizer", plain, known, slots=False)
    yield CheckpointCase("no-step", plain, known, step=None, extra={"global_step": np.array(1234, np.int64)})
    yield CheckpointCase("no-softmax", lstm, {**known, "classes": None})
    yield CheckpointCase("two-shards", plain, known, shards=2)
    yield CheckpointCase("two-shards-v1", {**old, **softmax(UNITS)}, known, format=V1, shards=2)
    yield CheckpointCase("partitioned", plain, known, parts=3, slots=False)
    yield CheckpointCase("partitioned-v1", {**old, **softmax(UNITS)}, known, format=V1, parts=2, slots=False)
    yield CheckpointCase("partitioned-shards", plain, known, parts=2, shards=2, slots=False)
    one_direction = {**cell_weights("1.15", "basic_lstm", 1, 2), **softmax(UNITS)}
    yield CheckpointCase("backward-state", one_direction, about("basic_lstm", 1, 2), untrained="lstm/fw")
    split = {"lstm/fw/0/kernel": [f"RNN/LSTMCell/W_{shard}" for shard in range(3)]}
    peephole = {**cell_weights("0.12", "lstm_peephole"), **softmax(UNITS)}
    yield CheckpointCase("named-shards", peephole, about("lstm_peephole"), format=V1, pieces=split)
    split = {"lstm/fw/0/kernel": [f"rnn/basic_lstm_cell/weights/part_{part}" for part in range(2)]}
    middle = {**cell_weights("1.0", "basic_lstm"), **softmax(UNITS)}
    yield CheckpointCase("named-parts", middle, known, pieces=split)
    stacked = cell_weights("1.15", "basic_lstm", scope="lstm1/")
    above = cell_weights("1.15", "basic_lstm", scope="lstm2/", inputs=UNITS)
    stacked.update({role.replace("/0/", "/1/"): weight for role, weight in above.items()})
    yield CheckpointCase("stacked-scopes", {**stacked, **softmax(UNITS)}, about("basic_lstm", 2))
    words = {"vocabulary": np.array([b"a", b"film"])}
    yield CheckpointCase("strings", plain, known, extra=words, slots=False)
    vectors = {"embedding": ("embeddings/W", (9, INPUTS))}
    yield CheckpointCase("embedding", {**plain, **vectors}, {**known, "vocabulary": 9})


def published_cases() -> Iterator[CheckpointCase]:
    """Small models of the kinds that Keras and PyTorch tutorials train, and such models by other names."""
    names = ("embedding", "dense/kernel", "dense/bias", "softmax/weights", "softmax/bias")
    keras: Any = {"optimizer": "RMSProp"}
    for cell, version in (("basic_lstm", V2), ("gru_reset_after", V1)):
        yield CheckpointCase(
            f"keras-two-layers-{cell}",
            {**cell_weights("1.15", cell, 2), **_around(names, UNITS)},
            about(cell, 2, classes=1, dense_units=UNITS, vocabulary=9),
            format=version,
            **keras,
        )
    frozen = {role: weight for role, weight in _around(names, UNITS).items() if role != "embedding"}
    frozen = {**cell_weights("1.15", "basic_lstm", 2), **frozen}
    yield CheckpointCase(
        "keras-frozen", frozen, about("basic_lstm", 2, classes=1, dense_units=UNITS, vocabulary=0), **keras
    )
    # Inputs, units and the embedding's width are one number.
    square = cell_weights("1.15", "basic_rnn", inputs=UNITS)
    square.update({"embedding": ("embedding", (9, UNITS)), **softmax(UNITS, 1)})
    described = about("basic_rnn", inputs=UNITS, classes=1, vocabulary=9)
    yield CheckpointCase("keras-one-layer", square, described, **keras)
    joined = cell_weights("1.15", "basic_lstm", 2, 2, joined=True)
    joined.update({"embedding": ("embedding", (9, INPUTS)), **softmax(2 * UNITS, 1)})
    yield CheckpointCase(
        "pytorch-joined", joined, about("basic_lstm", 2, 2, classes=1, joined=True, vocabulary=9)
    )
    names = ("words/lookup", "fully_connected/weights", "fully_connected/biases", "out/w", "out/b")
    other = {**cell_weights("0.12", "gru", 2), **_around(names, UNITS + 1)}
    described = about("gru", 2, classes=1, dense_units=UNITS + 1, vocabulary=9)
    yield CheckpointCase("other-names", other, described, format=V1, optimizer="TensorFlow's RMSProp")


def _around(names: Sequence[str], dense: int) -> Dict[str, Tuple[str, Shape]]:
    """An embedding of nine words, a dense layer and one output, under any names."""
    shapes = ((9, INPUTS), (UNITS, dense), (dense,), (dense, 1), (1,))
    roles = ("embedding", "dense/kernel", "dense/bias", "softmax/weights", "softmax/bias")
    return {role: (name, shape) for role, name, shape in zip(roles, names, shapes)}


def bad_cases() -> Iterator[CheckpointCase]:
    """What must be refused, or read with a warning, and why."""
    lstm = cell_weights("1.15", "basic_lstm")
    plain = {**lstm, **softmax(UNITS)}
    spoiled = values_of("lstm/fw/0/kernel", (INPUTS + UNITS, 4 * UNITS))
    spoiled[0, :3] = np.nan
    yield CheckpointCase("nan", plain, {"refused": "NaN"}, values={"lstm/fw/0/kernel": spoiled})
    halves = {role: values_of(role, shape).astype(np.float64) for role, (_, shape) in plain.items()}
    yield CheckpointCase("float64", plain, {"refused": "float64"}, values=halves, slots=False)
    wrong = {"x/basic_lstm_cell/kernel": np.ones((7, 18), np.float32), "x/basic_lstm_cell/bias": np.ones(18)}
    yield CheckpointCase("no-cell-shape", {}, {"refused": "fits no"}, extra=_floats(wrong), slots=False)
    second = {f"other/{name}": values_of(name, shape) for name, shape in lstm.values()}
    yield CheckpointCase("two-models", plain, {"refused": "2 recurrent models"}, extra=second, slots=False)
    rival = {"a/w": np.ones((UNITS, CLASSES)), "a/b": np.ones(CLASSES), "c/w": np.zeros((UNITS, CLASSES))}
    yield CheckpointCase("two-softmaxes", lstm, {"refused": "softmax"}, extra=_floats(rival), slots=False)
    projected = {"in/w": np.ones((5, INPUTS)), "in/b": np.ones(INPUTS)}
    yield CheckpointCase(
        "input-layer",
        plain,
        {"refused": "front/kernel is in the checkpoint and not in the model"},
        extra=_floats(projected),
        slots=False,
    )
    foreign = {"rnn/layer_norm_basic_lstm_cell/kernel": np.ones((7, 16))}
    yield CheckpointCase("unknown-cell", {}, {"refused": "layer_norm"}, extra=_floats(foreign), slots=False)
    nothing = {"conv1/weights": np.ones((3, 3, 1, 2)), "conv1/biases": np.ones(2)}
    yield CheckpointCase("no-cell", {}, {"refused": "no variable"}, extra=_floats(nothing), slots=False)


def _floats(arrays: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def variables_of(case: CheckpointCase) -> Dict[str, np.ndarray]:
    """Variable name -> values of the whole checkpoint."""
    found = dict(case.extra)
    slots, scalars = OPTIMIZERS[case.optimizer]
    for role, (name, shape) in case.weights.items():
        kinds = {"": case.values.get(role, values_of(role, shape))}
        has_slots = case.slots and not role.startswith(case.untrained)
        kinds.update({f"/{slot}": values_of(f"{slot} of {role}", shape) for slot in slots if has_slots})
        names = case.pieces.get(role, [name])
        for suffix, values in kinds.items():
            parts = np.array_split(values, len(names))
            found.update({piece + suffix: part for piece, part in zip(names, parts)})
    if case.slots:
        found.update({name: np.float32(value) for name, value in scalars.items()})
    return found


def all_cases() -> List[CheckpointCase]:
    """The checkpoint cases, in their order."""
    return [*regular_cases(), *odd_cases(), *published_cases(), *bad_cases()]
