"""The mistakes that ports of old models make, each as a change of the problem that the reference runs."""

from dataclasses import dataclass
from typing import Iterable, Iterator, List, Mapping, Optional, Tuple

from tf1_lstm.parity import input_mistakes, readout_mistakes, training_mistakes, weight_mistakes
from tf1_lstm.parity.entry import Change, Entry
from tf1_lstm.parity.problem import Problem

INPUTS, WEIGHTS, ARITHMETIC, READOUT, TRAINING = range(5)
OF_BIAS = ("no-bias", "bias-twice", "biases-summed", "biases-swapped")


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
        if self.name in OF_BIAS:
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
    return [
        *_possible(problem, INPUTS, input_mistakes.entries(problem)),
        *_possible(problem, WEIGHTS, weight_mistakes.entries(problem)),
        *_possible(problem, ARITHMETIC, _arithmetic(problem)),
        *_possible(problem, READOUT, readout_mistakes.entries(problem)),
    ]


def training_catalogue(problem: Problem) -> List[Mistake]:
    """Return the mistakes that show in loss, gradients or the optimizer's steps only."""
    return list(_possible(problem, TRAINING, training_mistakes.entries(problem)))


def _possible(problem: Problem, stage: int, entries: Iterable[Entry]) -> Iterator[Mistake]:
    for entry in entries:
        if entry.change(problem) is not None:
            yield Mistake(
                entry.name, entry.variant, stage, entry.says, entry.mends, entry.change, entry.common
            )


def _arithmetic(problem: Problem) -> Iterator[Entry]:
    cell = problem.spec.cell
    if cell.name != "basic_rnn":
        for function, words in (
            ("hard_sigmoid", "0.2 x + 0.5, old Keras's"),
            ("hard_sigmoid_6", "x / 6 + 0.5"),
        ):
            yield Entry(
                "hard-sigmoid",
                words,
                "the gates use hard_sigmoid; TensorFlow 1's cells use sigmoid",
                {
                    "any": "gate = 1 / (1 + exp(-x))",
                    "keras": "keras.layers.LSTM(units, recurrent_activation='sigmoid')",
                    "torch": "gate = torch.sigmoid(x)",
                },
                lambda p, function=function: p.with_cell(gate_activation=function),  # type: ignore[misc]
            )
    yield Entry(
        "relu-for-tanh",
        "",
        "the state uses relu; TensorFlow 1's cells use tanh",
        {"any": "candidate = tanh(x)", "keras": "activation='tanh'", "torch": "nonlinearity='tanh'"},
        lambda p: p.with_cell(state_activation="relu"),
    )
    if cell.name == "gru":
        yield Entry(
            "reset-after",
            "",
            "the reset gate is applied after the recurrent product; TensorFlow 1's GRUCell applies it before",
            {
                "any": "candidate = tanh(x @ kernel + (reset * h) @ recurrent + bias)",
                "keras": "keras.layers.GRU(units, reset_after=False)",
                "torch": "candidate = torch.tanh(x @ kernel + (reset * h) @ recurrent + bias)  # not nn.GRU",
            },
            lambda p: p.with_cell(reset_after=True),
        )
    if cell.name == "gru_reset_after":
        yield Entry(
            "reset-before",
            "",
            "the reset gate is applied before the recurrent product; the published GRU applies it after",
            {
                "any": "candidate = tanh(x @ kernel + bias + reset * (h @ recurrent + recurrent_bias))",
                "keras": "keras.layers.GRU(units, reset_after=True)",
                "torch": "nn.GRU(inputs, units)  # with the gates in the order r, z, n",
            },
            lambda p: p.with_cell(reset_before=True),
        )
    yield Entry(
        "steps-on-batch-axis",
        "",
        "the batch axis is taken for the steps",
        {"any": "swap the first two axes", "torch": "nn.LSTM(inputs, units, batch_first=True)"},
        lambda p: p.with_spec(steps_on_batch_axis=True) if len(p.inputs) > 1 else None,
        common=False,
    )
