"""The mistakes that ports of old models make, each as a change of the problem that the reference runs."""

import dataclasses
from typing import Iterable, Iterator, List, Optional

from tf1_lstm.parity import input_mistakes, readout_mistakes, training_mistakes, weight_mistakes
from tf1_lstm.parity.mistake import Candidate, Mistake
from tf1_lstm.parity.problem import Numbers, Problem

INPUTS, WEIGHTS, ARITHMETIC, READOUT, TRAINING = range(5)


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


def training_catalogue(problem: Problem, seen: Numbers) -> List[Mistake]:
    """Return the mistakes that show in loss, gradients or the optimizer's steps only.

    Args:
      problem: of the bundle.
      seen: the port's numbers, which give settings such as its learning rate away.
    """
    return list(_possible(problem, TRAINING, training_mistakes.entries(problem, seen)))


def _possible(problem: Problem, stage: int, entries: Iterable[Mistake]) -> Iterator[Mistake]:
    for mistake in entries:
        if mistake.change(problem) is not None:
            yield dataclasses.replace(mistake, stage=stage)


def _arithmetic(problem: Problem) -> Iterator[Mistake]:
    cell = problem.spec.cell
    if cell.name != "basic_rnn":
        for function, words in (
            ("hard_sigmoid", "0.2 x + 0.5, old Keras's"),
            ("hard_sigmoid_6", "x / 6 + 0.5"),
        ):
            yield Mistake(
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
    for activation in ("relu", "linear", "sigmoid"):
        yield Mistake(
            f"{activation}-for-tanh",
            "",
            f"the state uses {activation}; TensorFlow 1's cells use tanh",
            {"any": "candidate = tanh(x)", "keras": "activation='tanh'", "torch": "nonlinearity='tanh'"},
            lambda p, name=activation: p.with_cell(state_activation=name),  # type: ignore[misc]
            common=activation == "relu",
        )
    if cell.name == "gru":
        yield Mistake(
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
        yield Mistake(
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
    yield Mistake(
        "steps-on-batch-axis",
        "",
        "the batch axis is taken for the steps",
        {"any": "swap the first two axes", "torch": "nn.LSTM(inputs, units, batch_first=True)"},
        lambda p: p.with_spec(steps_on_batch_axis=True) if len(p.inputs) > 1 else None,
        common=False,
        mixes_examples=True,
    )
