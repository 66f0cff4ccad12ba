"""Experiments of any small shape, for tests: named by the flat settings of before."""

from dataclasses import dataclass
from typing import Any

from tf1_lstm.core.cells import BasicLSTM
from tf1_lstm.core.parts import kinds, setting
from tf1_lstm.recipes.data_parts import Data
from tf1_lstm.recipes.experiment import (
    Adam,
    Dropout,
    Embedding,
    Experiment,
    Inputs,
    Recurrent,
    Rows,
    Softmax,
    Steps,
    WrapperDropout,
)

CELLS = ("basic_rnn", "basic_lstm", "lstm_peephole", "lstm_coupled", "gru", "gru_reset_after")
# Kinds of parts come first: the other names are settings of theirs.
KINDS = ("cell", "output", "optimizer", "initializers", "bidirectional", "readout")


@dataclass(frozen=True)
class AnyData(Data):
    """Data of any shape, that nobody opens: ids or rows, whatever the inputs read."""

    steps: int = setting("time steps", 5, low=1, flat="steps")
    words: int = setting("how many words there are", 0, low=0, flat="vocabulary")


def experiment(name: str = "any", **flat: Any) -> Experiment:
    """An experiment of the settings named; rows of 3 numbers, an LSTM of 4 units, 2 classes unless told.

    Args:
      name: the experiment's.
      flat: flat name -> value: ``inputs`` is ``"rows"`` or ``"ids"``, ``embedding`` what looks ids up.
    """
    width = flat.pop("input_size", 3)
    lookup = flat.pop("embedding", "word-vectors")
    inputs: Inputs = Rows(width)
    if flat.pop("inputs", "rows") == "ids":
        kind = {found.flat_kind: found for found in kinds(Inputs).values()}[lookup]
        inputs = Embedding(width) if kind is Embedding else kind()
    dropout: Any = None
    if "dropout_at" in flat:
        dropout = Dropout(flat.pop("keep_prob"), tuple(flat.pop("dropout_at").split(",")))
    elif flat.get("output_keep_prob", 1.0) < 1:
        dropout = WrapperDropout(flat["output_keep_prob"])
    flat.pop("output_keep_prob", None)
    plain = Experiment(
        AnyData(flat.pop("steps", 5), flat.pop("vocabulary", 0)),
        inputs,
        Recurrent(BasicLSTM(4)),
        Softmax(flat.pop("classes", 2)),
        Adam(),
        Steps(1, batch_size=1),
        dropout=dropout,
        name=name,
    )
    found = plain.with_settings({key: value for key, value in flat.items() if key in KINDS})
    return found.with_settings({key: value for key, value in flat.items() if key not in KINDS})
