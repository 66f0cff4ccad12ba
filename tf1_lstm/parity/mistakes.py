"""The mistakes that ports of old models make, each as a change of the problem that the reference runs."""

import dataclasses
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from tf1_lstm.parity import input_mistakes, weight_mistakes
from tf1_lstm.parity.problem import Problem

INPUTS, WEIGHTS, ARITHMETIC, READOUT, TRAINING = range(5)
Change = Callable[[Problem], Optional[Problem]]


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong.

    Attributes:
      name: what is reported, e.g. ``"forget-bias-missing"``.
      variant: which form of it, where there are several ("" otherwise).
      stage: when it acts: inputs, weights, arithmetic, readout, training.
      says: one sentence.
      mends: framework (``keras``, ``torch`` or ``any``) -> the line of code that mends it.
      change: the changed problem, or None where the mistake cannot be made on this model.
      common: whether it is tried in pairs too.
    """

    name: str
    variant: str
    stage: int
    says: str
    mends: Mapping[str, str]
    change: Change
    common: bool = True

    @property
    def group(self) -> str:
        """What cannot be got wrong twice: two mistakes of a group are not paired."""
        if self.name in ("no-bias", "bias-twice"):
            return "bias"
        return next((g for g in ("gate-order", "forget-bias") if self.name.startswith(g)), self.name)

    def mend(self, framework: str) -> str:
        """Return the line for ``keras`` or ``torch``, or the general one."""
        return self.mends.get(framework, self.mends["any"])


Candidate = Tuple[Mistake, ...]


def apply_all(problem: Problem, candidate: Candidate) -> Optional[Problem]:
    """Return the problem under several mistakes; None where they cannot be made together."""
    changed: Optional[Problem] = problem
    for mistake in candidate:
        changed = None if changed is None else mistake.change(changed)
    return changed


def catalogue(problem: Problem) -> List[Mistake]:
    """Return every mistake that can be made on this model's way from inputs to logits."""
    found = [*_inputs(problem), *_weights(problem), *_arithmetic(), *_readout(problem)]
    return [mistake for mistake in found if mistake.change(problem) is not None]


def _inputs(problem: Problem) -> Iterator[Mistake]:
    for entry in input_mistakes.entries(problem):
        yield Mistake(entry.name, entry.variant, INPUTS, entry.says, entry.mends, entry.change)


def _weights(problem: Problem) -> Iterator[Mistake]:
    for entry in weight_mistakes.entries(problem):
        yield Mistake(entry.name, entry.variant, WEIGHTS, entry.says, entry.mends, entry.change, entry.common)


def _arithmetic() -> Iterator[Mistake]:
    for function, words in (("hard_sigmoid", "0.2 x + 0.5, old Keras's"), ("hard_sigmoid_6", "x / 6 + 0.5")):
        yield Mistake(
            "hard-sigmoid",
            words,
            ARITHMETIC,
            "the gates use hard_sigmoid; TensorFlow 1's cells use sigmoid",
            {
                "any": "gate = 1 / (1 + exp(-x))",
                "keras": "keras.layers.LSTM(units, recurrent_activation='sigmoid')",
                "torch": "gate = torch.sigmoid(x)",
            },
            lambda p, function=function: (  # type: ignore[misc]
                None if p.spec.cell.name == "basic_rnn" else p.with_cell(gate_activation=function)
            ),
        )
    yield Mistake(
        "relu-for-tanh",
        "",
        ARITHMETIC,
        "the state uses relu; TensorFlow 1's cells use tanh",
        {"any": "candidate = tanh(x)", "keras": "activation='tanh'", "torch": "nonlinearity='tanh'"},
        lambda p: p.with_cell(state_activation="relu"),
    )
    yield Mistake(
        "reset-after",
        "",
        ARITHMETIC,
        "the reset gate is applied after the recurrent product; TensorFlow 1's GRUCell applies it before",
        {
            "any": "candidate = tanh(x @ kernel + (reset * h) @ recurrent + bias)",
            "keras": "keras.layers.GRU(units, reset_after=False)",
            "torch": "candidate = torch.tanh(x @ kernel + (reset * h) @ recurrent + bias)  # not nn.GRU",
        },
        lambda p: p.with_cell(reset_after=True) if p.spec.cell.name == "gru" else None,
    )
    yield Mistake(
        "steps-on-batch-axis",
        "",
        ARITHMETIC,
        "the batch axis is taken for the steps",
        {"any": "swap the first two axes", "torch": "nn.LSTM(inputs, units, batch_first=True)"},
        lambda p: p.with_spec(steps_on_batch_axis=True) if len(p.inputs) > 1 else None,
        common=False,
    )


def _readout(problem: Problem) -> Iterator[Mistake]:
    def reads(name: str, variant: str, says: str, mends: Dict[str, str], **changes: object) -> Mistake:
        return Mistake(name, variant, READOUT, says, mends, lambda p: p.with_spec(**changes))

    spec = problem.spec
    if spec.cell.has_c:
        mends = {
            "any": "features = h",
            "keras": "outputs, h, c = lstm(x)  # return_state=True; read h",
            "torch": "outputs, (h, c) = lstm(x)  # read h[-1]",
        }
        says = "the softmax reads the cell state c; the original reads the output h"
        yield reads("cell-state-for-output", "", says, mends, read="c")
    yield reads(
        "first-step-for-last",
        "",
        "the softmax reads the first step's output; the original reads the last's",
        {"any": "features = outputs[:, -1]"},
        position="first",
    )
    if spec.bidirectional:
        yield from _direction_mistakes(problem, reads)
    if problem.keep_prob < 1:
        for factor, variant in ((problem.keep_prob, "times"), (1 / problem.keep_prob, "divided by")):
            yield reads(
                "dropout-scaled-twice",
                f"{variant} {problem.keep_prob:g}",
                f"outputs are {variant} the keep probability; TensorFlow scales only while dropout is on",
                {"any": "features = outputs[:, -1]  # no factor when dropout is off"},
                scale=factor,
            )
    yield reads(
        "probabilities-for-logits",
        "",
        "probabilities are returned; the original returns logits, and its loss takes the softmax",
        {
            "any": "return logits",
            "keras": "keras.layers.Dense(classes)  # no activation; from_logits=True in the loss",
            "torch": "return self.linear(features)  # no softmax: CrossEntropyLoss takes logits",
        },
        probabilities=True,
    )


def _direction_mistakes(problem: Problem, reads: Callable[..., Mistake]) -> Iterator[Mistake]:
    yield Mistake(
        "directions-swapped",
        "weights",
        WEIGHTS,
        "the forward direction has the backward direction's weights, and the other way round",
        {"any": "forward takes 'fw' (TensorFlow: bidirectional_rnn/fw), backward takes 'bw'"},
        lambda p: dataclasses.replace(p, weights={_other(r): p.weights[r] for r in map(_other, p.weights)}),
    )
    if problem.spec.readout == "both-states":
        yield reads(
            "directions-joined-in-other-order",
            "",
            "the states are joined backward first; the original joins forward first",
            {"any": "features = concatenate([forward_h, backward_h], axis=-1)"},
            backward_first=True,
        )
    else:
        yield reads(
            "directions-swapped",
            "state",
            "the softmax reads the forward direction; the published model reads the backward one",
            {"any": "features = backward_h"},
            wrong_direction=True,
        )
    yield reads(
        "backward-output-at-last-step",
        "",
        "the backward direction is read at the last step, the first that it ran; its state is at step 0",
        {
            "any": "backward_h = backward_outputs[:, 0]",
            "torch": "outputs, (h, c) = lstm(x)  # h[-1] is the backward state, not outputs[:, -1]",
        },
        position="last",
    )


def _other(role: str) -> str:
    return role.replace("/fw/", "/bw/") if "/fw/" in role else role.replace("/bw/", "/fw/")


def training_catalogue(problem: Problem) -> List[Mistake]:
    """Return the mistakes that show in loss, gradients or Adam's steps only."""
    rate = problem.spec.adam.learning_rate
    lines = {
        "any": f"Adam with learning_rate={rate:g}, epsilon=1e-8, added before bias correction",
        "keras": f"keras.optimizers.Adam({rate:g}, epsilon=1e-8)",
        "torch": "p -= rate * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + 1e-8)  # not torch.optim.Adam",
    }

    def trains(name: str, variant: str, says: str, mends: Dict[str, str], change: Change) -> Mistake:
        return Mistake(name, variant, TRAINING, says, mends, change)

    return [
        trains(
            "adam-epsilon",
            "1e-7, Keras's default",
            "Adam's epsilon is 1e-7; TensorFlow 1's is 1e-8",
            lines,
            lambda p: p.with_adam(epsilon=1e-7),
        ),
        trains(
            "adam-epsilon",
            "1e-8 after bias correction, PyTorch's",
            "Adam's epsilon is added after bias correction; TensorFlow 1 adds it before (epsilon hat)",
            lines,
            lambda p: p.with_adam(epsilon_hat=False),
        ),
        trains(
            "bias-trained-twice",
            "",
            "a layer's two biases are both trained, so that their sum moves twice as far",
            {"any": "train one bias", "torch": "lstm.bias_hh_l0.requires_grad_(False)"},
            lambda p: p.with_spec(double_bias=True),
        ),
        trains(
            "loss-summed",
            "",
            "the loss is summed over the batch; the original takes the mean",
            {"any": "loss = cross_entropy.mean()", "torch": "nn.CrossEntropyLoss(reduction='mean')"},
            lambda p: p.with_spec(loss_sum=True),
        ),
    ]
