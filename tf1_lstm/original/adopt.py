"""An experiment from a checkpoint: what its variables and its graph say, and marked defaults for the rest."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.canonical import (
    DENSE_BIAS,
    DENSE_KERNEL,
    EMBEDDING,
    FRONT_BIAS,
    FRONT_KERNEL,
    SOFTMAX_BIAS,
    SOFTMAX_WEIGHTS,
    Expected,
    expected_shapes,
)
from tf1_lstm.checkpoints.identify import Identified, identify
from tf1_lstm.checkpoints.inspection import may_share
from tf1_lstm.checkpoints.reading import OpenCheckpoint
from tf1_lstm.checkpoints.restore import differences
from tf1_lstm.core.cells import ACTIVATIONS, LAYER_ACTIVATIONS, cell_kinds
from tf1_lstm.errors import InputError
from tf1_lstm.original.model import Described
from tf1_lstm.original.trace import TracedDense
from tf1_lstm.recipes import experiment as parts
from tf1_lstm.recipes.data_parts import NoData
from tf1_lstm.recipes.experiment import Experiment
from tf1_lstm.recipes.python_source import python_source

COMMONEST = "no checkpoint holds this: the commonest value"
FROM_GRAPH = "from the graph"
VECTORS = "{}.vectors.npy"  # where the word vectors that are a constant of the graph go
HEADS = ("softmax", "sigmoid", "regression")
ANSWERS = (
    "output",
    "layers",
    "forget_bias",
    "activation",
    "read",
    "head",
    "front",
    "front_activation",
    "steps",
    "inputs",
)
Answers = Mapping[str, str]


class Adopted(NamedTuple):
    """An experiment with how sure each part of it is.

    Attributes:
      experiment: its model; its data are ``NoData``.
      notes: path -> where the value is from, or its alternatives.
      open: path -> alternatives of what neither checkpoint nor graph says.
      source: the experiment as a Python file.
      described: what the graph said; None without one.
    """

    experiment: Experiment
    notes: Dict[str, str]
    open: Dict[str, List[Any]]
    source: str
    described: Optional[Described]


def adopt(checkpoint: OpenCheckpoint, described: Optional[Described], answers: Answers, name: str) -> Adopted:
    """Write an experiment from a checkpoint.

    Args:
      checkpoint: its variables.
      described: what its own graph says; None where it has none.
      answers: name -> what the user says of what neither holds: some of ``ANSWERS``.
      name: of the experiment.

    Raises:
      InputError: no model that an experiment can say; or a question that must be answered.
    """
    strange = [key for key in answers if key not in ANSWERS]
    if strange:
        raise InputError(
            f"--answer {strange[0]}: found an unknown name, expected one of {', '.join(ANSWERS)}"
        )
    identified = identify(checkpoint.specs)
    if identified.model is None:
        raise InputError(f"{checkpoint.prefix}: found no model to adopt: {identified.problem}")
    found = (
        _of_graph(checkpoint, identified, described, answers, name)
        if described
        else _of_names(checkpoint, identified, answers)
    )
    experiment, notes, choices, variables = found
    width = described.vectors.shape[1] if described and described.vectors is not None else 0
    experiment = _with_variables(checkpoint, experiment, variables, width)
    source = _source(experiment, notes, name, checkpoint)
    return Adopted(experiment, notes, choices, source, described)


Found = Tuple[Experiment, Dict[str, str], Dict[str, List[Any]], Dict[str, str]]


def _of_graph(
    checkpoint: OpenCheckpoint, identified: Identified, said: Described, answers: Answers, name: str
) -> Found:
    """The experiment that a graph describes."""
    model = identified.model
    assert model is not None
    notes: Dict[str, str] = {}
    choices: Dict[str, List[Any]] = {}
    bias = _float(answers, "forget_bias", said.first.forget_bias)
    activation = answers.get("activation", said.first.activation or "tanh")
    cell = _cell(model.cell, model.units, bias, activation)
    notes["recurrent.cell"] = FROM_GRAPH
    if said.dense is not None and said.dense.activation not in LAYER_ACTIVATIONS:
        raise InputError(
            f"{checkpoint.prefix}: found a layer {said.dense.kernel} with {said.dense.activation} in front of the last one, "
            f"expected one of {', '.join(LAYER_ACTIVATIONS)} (graph runs them all)"
        )
    both = parts.Bidirectional(said.merge, model.joined) if said.directions == 2 else None
    recurrent = parts.Recurrent(
        cell=cell,
        layers=_int(answers, "layers", said.layers),
        bidirectional=both,
        read=answers.get("read", said.read),
        mask="sequence_length" if said.lengths else "none",
        shared_cell=said.shared and said.layers > 1,
        widths=model.widths,
    )
    inputs: Any = parts.Rows(said.width or model.inputs)
    variables = {SOFTMAX_WEIGHTS: said.head.kernel, SOFTMAX_BIAS: said.head.bias}
    if said.vectors is not None:
        inputs = parts.FrozenVectors()
        notes["inputs"] = "the graph's own constant"
    elif said.embedding:
        table = checkpoint.specs.get(said.embedding)
        if table is None or len(table.shape) != 2:
            raise InputError(
                f"{checkpoint.prefix}: found no embedding {said.embedding}, expected the graph's"
            )
        inputs = parts.Embedding(width=table.shape[1], words=table.shape[0])
        variables[EMBEDDING] = said.embedding
    elif said.one_hot:
        inputs = parts.OneHot(words=said.one_hot)
    if said.front is not None:
        variables.update({FRONT_KERNEL: said.front.kernel, FRONT_BIAS: said.front.bias})
    if said.dense is not None:
        variables.update({DENSE_KERNEL: said.dense.kernel, DENSE_BIAS: said.dense.bias})
    rate = (said.optimizer or {}).get("learning_rate")
    experiment = _experiment(
        inputs=inputs,
        front=_front(said.front),
        recurrent=recurrent,
        head=_head(answers.get("head", said.kind), said.head.units, said.dense, said.error),
        optimizer=_optimizer(said.optimizer, notes),
        steps=_int(answers, "steps", said.steps),
        masked=bool(said.lengths),
        vectors=VECTORS.format(name) if said.vectors is not None else "",
    )
    if rate is not None and not isinstance(rate, float):
        notes["optimizer"] = f"the graph computes the learning rate ({rate}): this is TensorFlow's default"
    if said.loss_note:
        notes["head"] = f"the graph {said.loss_note}"
    if said.steps_first:
        notes["data"] = "the graph takes [steps, batch, ...]; here it is [batch, steps, ...], as everywhere"
    if said.dropped:
        notes["recurrent"] = (
            "the graph has dropout, which is off here: add dropout=WrapperDropout(…) to train on"
        )
    return experiment, notes, choices, variables


def _of_names(checkpoint: OpenCheckpoint, identified: Identified, answers: Answers) -> Found:
    """The experiment that names and shapes allow; asks where they allow two."""
    model, prefix = identified.model, checkpoint.prefix
    assert model is not None
    if identified.candidates:
        pairs = ", ".join(f"{layer.kernel} with {layer.bias}" for layer in identified.candidates[:6])
        raise InputError(f"{prefix}: the last layer could be any of these, and nothing decides: {pairs}")
    if SOFTMAX_WEIGHTS not in identified.sources:
        raise InputError(f"{prefix}: found no layer behind the recurrent ones, expected one")
    variables: Dict[str, str] = {}
    front = _asked_front(checkpoint, identified, answers, variables)
    unassigned = [name for name in identified.unassigned if name not in variables.values()]
    if unassigned:
        raise InputError(
            f"{prefix}: found {', '.join(unassigned[:4])}, which no part of an experiment reads (attention, "
            "a convolution, batch normalisation?), expected recurrent layers with layers around them"
        )
    notes: Dict[str, str] = {}
    choices: Dict[str, List[Any]] = {}
    shared = model.layers == 1 and may_share(identified)
    if shared and "layers" not in answers:
        raise InputError(
            f"{prefix}: one layer is saved, or several that share it, and nothing decides; "
            "expected --answer layers=N (1 for one; a MultiRNNCell([cell] * N) has N)"
        )
    layers = _int(answers, "layers", model.layers)
    forget = cell_kinds()[model.cell].default_forget_bias
    if forget is not None:
        _mark("forget_bias", "recurrent.cell.forget_bias", [1.0, 0.0, 0.8], answers, notes, choices)
    _mark("activation", "recurrent.cell.activation", list(ACTIVATIONS[:3]), answers, notes, choices)
    _mark("read", "recurrent.read", ["state", "output", "steps"], answers, notes, choices)
    classes = model.classes or 1
    kinds = ["regression", "sigmoid"] if classes == 1 else ["softmax", "regression"]
    _mark("head", "head", kinds, answers, notes, choices)
    if front is not None:
        _mark("front_activation", "front.activation", ["linear", "relu"], answers, notes, choices)
    inputs: Any = parts.Rows(front.inputs if front else model.inputs)
    if model.vocabulary:
        inputs = parts.Embedding(width=model.inputs, words=model.vocabulary)
    elif front is None:
        _mark("inputs", "inputs", ["rows", "one-hot"], answers, notes, choices)
        if answers.get("inputs") == "one-hot":
            inputs = parts.OneHot(words=model.inputs)
    dense = identified.sources.get(DENSE_KERNEL)
    between = TracedDense("", "", "relu", dense.shape[0], dense.shape[1], "") if dense else None
    read = identified.sources[SOFTMAX_WEIGHTS].shape[0] if dense is None else dense.shape[0]
    both = None
    if model.directions == 2:
        both = parts.Bidirectional("join" if read == 2 * model.top_units else "backward", model.joined)
    if front is not None:
        front = front._replace(activation=answers.get("front_activation", "linear"))
    bias = _float(answers, "forget_bias", forget)
    experiment = _experiment(
        inputs=inputs,
        front=_front(front),
        recurrent=parts.Recurrent(
            cell=_cell(model.cell, model.units, bias, answers.get("activation", "tanh")),
            layers=layers,
            bidirectional=both,
            read=answers.get("read", "state"),
            shared_cell=layers > model.layers,
            widths=model.widths,
        ),
        head=_head(answers.get("head", kinds[0]), classes, between, "squared"),
        optimizer=_optimizer(None, notes),
        steps=_int(answers, "steps", 0),
        masked=False,
    )
    return experiment, notes, choices, variables


def _mark(
    answer: str,
    path: str,
    values: List[Any],
    answers: Answers,
    notes: Dict[str, str],
    choices: Dict[str, List[Any]],
) -> None:
    """Note what was answered, or that the first value is taken and what else there is."""
    if answer in answers:
        notes[path] = "as answered"
        return
    others = " or ".join(str(value) for value in values[1:])
    notes[path] = f"{COMMONEST}; it may be {others} (--answer {answer}={values[1]})"
    choices[path] = values


def _asked_front(
    checkpoint: OpenCheckpoint, identified: Identified, answers: Answers, variables: Dict[str, str]
) -> Optional[TracedDense]:
    """The layer in front of the recurrent ones, where shapes or an answer say which it is."""
    source = identified.sources.get(FRONT_KERNEL)
    if source is not None:
        return TracedDense(source.names[0], "", "linear", source.shape[0], source.shape[1], "")
    asked = [note.split(" ")[0] for note in identified.notes if "nothing decides" in note]
    if not asked:
        return None
    answer = answers.get("front")
    model = identified.model
    assert model is not None
    if answer is None:
        raise InputError(
            f"{checkpoint.prefix}: {asked[0]} {list(checkpoint.specs[asked[0]].shape)} fits in front of the "
            "recurrent layer and behind the last one, and nothing decides; "
            f"expected --answer front={asked[0]}, or front=none"
        )
    if answer == "none":
        return None
    biases = [
        name
        for name in identified.unread
        if checkpoint.specs[name].shape in ((model.inputs,), (1, model.inputs)) and name != answer
    ]
    if answer not in asked or len(biases) != 1:
        raise InputError(f"--answer front={answer}: found no such layer with one bias, expected {asked[0]}")
    variables.update({FRONT_KERNEL: answer, FRONT_BIAS: biases[0]})
    shape = checkpoint.specs[answer].shape
    return TracedDense(answer, biases[0], "linear", shape[0], shape[1], "")


def _cell(kind: str, units: int, forget_bias: Optional[float], activation: str) -> Any:
    options: Dict[str, Any] = {"units": units}
    names = set(cell_kinds()[kind].__dataclass_fields__)
    if "forget_bias" in names and forget_bias is not None:
        options["forget_bias"] = forget_bias
    if "activation" in names:
        options["activation"] = activation
    return cell_kinds()[kind](**options)


def _front(layer: Optional[TracedDense]) -> Optional[parts.Layer]:
    return None if layer is None else parts.Layer(units=layer.units, activation=layer.activation)


def _head(kind: str, units: int, dense: Optional[TracedDense], error: str) -> Any:
    if kind not in HEADS:
        raise InputError(f"--answer head={kind}: expected one of {', '.join(HEADS)}")
    layer: Dict[str, Any] = {"dense": dense.units, "dense_activation": dense.activation} if dense else {}
    if kind == "regression":
        return parts.Regression(outputs=units, loss=error, **layer)
    if kind == "sigmoid":
        return parts.Sigmoid(**layer)
    return parts.Softmax(classes=units, **layer)


def _optimizer(found: Optional[Dict[str, Any]], notes: Dict[str, str]) -> Any:
    """The optimizer, where an experiment has it; Adam otherwise, with a note."""
    known = {"Adam": parts.Adam, "GradientDescent": parts.SGD, "Adadelta": parts.Adadelta}
    if found is None:
        notes["optimizer"] = "neither checkpoint nor graph says it"
        return parts.Adam()
    rate = found.get("learning_rate")
    options = {"learning_rate": rate} if isinstance(rate, float) and rate > 0 else {}
    clipped = "; the graph clips gradients, which is not done here" if found.get("clipped") else ""
    if found["name"] not in known:
        notes["optimizer"] = f"the graph has {found['name']}, which is none of an experiment's{clipped}"
        return parts.Adam(**options)
    notes["optimizer"] = FROM_GRAPH + clipped
    return known[found["name"]](**options)


def _experiment(
    *,
    inputs: Any,
    front: Any,
    recurrent: Any,
    head: Any,
    optimizer: Any,
    steps: int,
    masked: bool,
    vectors: str = "",
) -> Experiment:
    return Experiment(
        data=NoData(steps=0 if masked and not steps else steps, vectors=vectors),
        inputs=inputs,
        recurrent=recurrent,
        head=head,
        optimizer=optimizer,
        schedule=parts.Steps(iterations=1000, batch_size=32),
        front=front,
    )


def _with_variables(
    checkpoint: OpenCheckpoint, experiment: Experiment, told: Dict[str, str], width: int
) -> Experiment:
    """The experiment with the variables that names and shapes alone would not find."""
    import dataclasses

    shapes = expected_shapes(experiment, width)
    plain = identify(checkpoint.specs, Expected(shapes))
    variables = tuple(
        (name, variable)
        for name, variable in told.items()
        if name in shapes
        and getattr(plain.sources.get(name), "names", None) != ((variable,) if variable else ())
    )
    found = dataclasses.replace(experiment, variables=variables)
    expected = Expected(shapes, variables)
    problems = differences(checkpoint.specs, identify(checkpoint.specs, expected), expected)
    if problems:
        raise InputError(f"{checkpoint.prefix}: cannot be adopted: {problems[0].text}")
    return found


def _source(experiment: Experiment, notes: Mapping[str, str], name: str, checkpoint: OpenCheckpoint) -> str:
    """The experiment as a file."""
    opening = (
        f"Adopted from {checkpoint.prefix.rpartition('/')[2] or name}. Put data of your own in place of NoData to "
        "train or evaluate."
    )
    text = python_source(experiment, notes, opening)
    if experiment.variables:
        pairs = "".join(f"        ({name!r}, {variable!r}),\n" for name, variable in experiment.variables)
        body = "    # which variable of the checkpoint is what, where names and shapes do not say it\n"
        assert text.endswith("\n)\n")
        text = text[: -len(")\n")] + body + f"    variables=(\n{pairs}    ),\n)\n"
    return text


def _int(answers: Answers, name: str, value: int) -> int:
    if name not in answers:
        return value
    if not answers[name].isdigit():
        raise InputError(f"--answer {name}={answers[name]}: expected a whole number")
    return int(answers[name])


def _float(answers: Answers, name: str, value: Optional[float]) -> Optional[float]:
    if name not in answers:
        return value
    try:
        return float(answers[name])
    except ValueError as error:
        raise InputError(f"--answer {name}={answers[name]}: expected a number") from error
