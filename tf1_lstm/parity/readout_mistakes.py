"""Mistakes made between the last layer's states and the logits."""

from typing import Callable, Iterator

from tf1_lstm.parity.mistake import Change, Mistake
from tf1_lstm.parity.problem import Problem

READOUT = 3


def _changed(**changes: object) -> Change:
    return lambda problem: problem.with_spec(**changes)


def entries(problem: Problem) -> Iterator[Mistake]:
    """Yield every mistake of reading states, and of what is returned."""
    spec = problem.spec
    yield from _states(problem)
    if spec.bidirectional:
        yield from _directions(problem)
    if spec.dense_units:
        yield Mistake(
            "dense-relu-missing",
            "",
            "the dense layer has no ReLU",
            {
                "any": "features = maximum(states @ kernel + bias, 0)",
                "keras": "keras.layers.ReLU()  # after the dense layer and its dropout",
                "torch": "features = torch.relu(self.dense(states))",
            },
            _changed(dense_activation="linear"),
        )
    if problem.spec.drops_features:
        for factor, variant in (
            (problem.spec.keep_prob, "times"),
            (1 / problem.spec.keep_prob, "divided by"),
        ):
            yield Mistake(
                "dropout-scaled-twice",
                f"{variant} {problem.spec.keep_prob:g}",
                f"outputs are {variant} the keep probability; TensorFlow scales only while dropout is on",
                {"any": "features = outputs[:, -1]  # no factor when dropout is off"},
                _changed(scale=factor),
            )
    yield from _between(problem)
    yield from _answers(problem)


def _states(problem: Problem) -> Iterator[Mistake]:
    if problem.spec.cell.has_c:
        yield Mistake(
            "cell-state-for-output",
            "",
            "the softmax reads the cell state c; the original reads the output h",
            {
                "any": "features = h",
                "keras": "outputs, h, c = lstm(x)  # return_state=True; read h",
                "torch": "outputs, (h, c) = lstm(x)  # read h[-1]",
            },
            _changed(read="c"),
        )
        yield Mistake(
            "cell-state-added",
            "",
            "the softmax reads h + c; the original reads the output h",
            {"any": "features = h"},
            _changed(read="h+c"),
        )
    if not problem.spec.reads_sequence:
        yield from _other_steps(problem)
    elif not problem.spec.per_step:
        yield Mistake(
            "last-step-for-all",
            "",
            "the softmax reads each direction's last state; the original reads several steps "
            f"({problem.spec.position})",
            {"any": "features = the mean or maximum over the steps, as published"},
            _changed(position="final"),
        )
    if problem.spec.layers > 1:
        yield Mistake(
            "first-layer-for-last",
            "",
            "the state of the first layer is read; the original reads the last layer's",
            {
                "any": "features = the last layer's h",
                "torch": "outputs, (h, c) = lstm(x)  # h[-1]; of two directions h[-2] and h[-1], not h[0]",
            },
            _changed(first_layer=True),
        )


def _other_steps(problem: Problem) -> Iterator[Mistake]:
    for position, what in (("mean", "the mean"), ("max", "the maximum")):
        yield Mistake(
            f"{position}-over-steps",
            "",
            f"the softmax reads {what} of all steps; the original reads the last step",
            {
                "any": "features = outputs[:, -1]",
                "keras": "keras.layers.LSTM(units)  # no return_sequences, no pooling over the steps",
            },
            _changed(position=position),
        )
    if problem.words is not None and problem.spec.padding == "back":
        yield Mistake(
            "output-at-last-word",
            "",
            "the output at each review's last word is read; the original reads the last step, the padding's",
            {"any": "features = outputs[:, -1]  # not outputs[range(batch), lengths - 1]"},
            _changed(position="word"),
        )
    yield Mistake(
        "first-step-for-last",
        "",
        "the softmax reads the first step's output; the original reads the last's",
        {"any": "features = outputs[:, -1]"},
        _changed(position="first"),
    )


def temperature(factor: float) -> Mistake:
    """Return the mistake of logits that are multiplied by a factor."""
    return Mistake(
        "logits-scaled",
        f"times {factor:.4g}",
        f"the logits are {factor:.4g} times what they should be, as by a temperature",
        {"any": "return logits"},
        _changed(temperature=factor),
        common=False,
        stage=READOUT,
    )


def _between(problem: Problem) -> Iterator[Mistake]:
    """Yield what may stand between the states and the last layers."""
    for name, says in (("relu", "a ReLU"), ("tanh", "a tanh"), ("sigmoid", "a sigmoid")):
        yield Mistake(
            "states-activated",
            name,
            f"{says} is applied to the states that are read; the original reads them as they are",
            {"any": "features = outputs[:, -1]", "keras": "no Activation layer behind the recurrent one"},
            _changed(states_activation=name),
            common=False,
        )
    for epsilon, whose in ((1e-3, "Keras's"), (1e-5, "PyTorch's")):
        yield Mistake(
            "layer-normalised",
            f"epsilon {epsilon:g}, {whose}",
            "the states that are read are normalised; the original has no layer normalisation",
            {"any": "features = outputs[:, -1]  # no LayerNormalization"},
            _changed(normalise=epsilon),
        )


def _directions(problem: Problem) -> Iterator[Mistake]:
    if problem.spec.readout == "both-states" and problem.spec.merge == "join":
        yield Mistake(
            "directions-joined-in-other-order",
            "",
            "the states are joined backward first; the original joins forward first",
            {"any": "features = concatenate([forward_h, backward_h], axis=-1)"},
            _changed(backward_first=True),
        )
    elif problem.spec.readout == "backward-state":
        yield Mistake(
            "directions-swapped",
            "state",
            "the softmax reads the forward direction; the published model reads the backward one",
            {"any": "features = backward_h"},
            _changed(wrong_direction=True),
        )
    if problem.spec.merge not in ("join", "forward"):
        for merge in ("sum", "product", "average"):
            if merge != problem.spec.merge:
                yield Mistake(
                    "directions-merged-otherwise",
                    merge,
                    f"the directions are merged by {merge}; the original's merge is {problem.spec.merge}",
                    {"any": f"merge={problem.spec.merge!r}"},
                    _changed(merge=merge),
                )
    if problem.spec.reads_sequence:
        return
    yield Mistake(
        "backward-output-at-last-step",
        "",
        "the backward direction is read at the last step, the first that it ran; its state is at step 0",
        {
            "any": "backward_h = backward_outputs[:, 0]",
            "torch": "outputs, (h, c) = lstm(x)  # h[-1] is the backward state, not outputs[:, -1]",
        },
        _changed(position="last"),
    )


def _answers(problem: Problem) -> Iterator[Mistake]:
    is_sigmoid = problem.spec.output == "sigmoid"
    if is_sigmoid:
        says = "a probability is returned; the original returns the number before the sigmoid"
        fixes = {
            "any": "return logit",
            "keras": "keras.layers.Dense(1)  # no activation; from_logits=True in the loss",
            "torch": "return self.linear(features)  # no sigmoid: BCEWithLogitsLoss takes logits",
        }
    else:
        says = "probabilities are returned; the original returns logits, and its loss takes the softmax"
        fixes = {
            "any": "return logits",
            "keras": "keras.layers.Dense(classes)  # no activation; from_logits=True in the loss",
            "torch": "return self.linear(features)  # no softmax: CrossEntropyLoss takes logits",
        }
    yield Mistake("probabilities-for-logits", "", says, fixes, _changed(probabilities=True))
    if not is_sigmoid:
        yield Mistake(
            "log-probabilities-for-logits",
            "",
            "a log-softmax is returned; the original returns logits, and its loss takes the softmax",
            {
                "any": "return logits",
                "torch": "return self.linear(features)  # CrossEntropyLoss takes logits",
            },
            _changed(log_probabilities=True),
        )
    for name in ("relu", "tanh"):
        if name == problem.spec.scores_activation:
            continue
        yield Mistake(
            "logits-activated",
            name,
            f"the last layer has the activation {name}; the original's has none",
            {"any": "return logits", "keras": "keras.layers.Dense(classes)  # no activation"},
            _changed(scores_activation=name),
            common=False,
        )
    if problem.labels.shape[1] == 2:
        yield from _two_classes(is_sigmoid, _changed)


def _two_classes(is_sigmoid: bool, changed: Callable[..., Change]) -> Iterator[Mistake]:
    says = "the two classes change places: what is returned for one is the other's"
    fixes = {"any": "the data set's class_names give the order of the classes"}
    yield Mistake("classes-swapped", "the columns", says, fixes, changed(answer_order="columns"))
    if is_sigmoid:
        yield Mistake("classes-swapped", "the sign", says, fixes, changed(answer_order="sign"))
