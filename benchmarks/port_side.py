"""The framework's side of the benchmark: a port of the recipe in Keras or PyTorch, run by their own Python.

``port_side.py FOLDER``, which holds what ``bench.hand_over`` wrote: settings, batches, a split. Recipes that were
published in Keras or PyTorch have a port in the package; of the others the recurrent layer is PyTorch's own,
where it has that cell.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np

from benchmarks.side import serve

LAYERS = {"basic_rnn": "RNN", "basic_lstm": "LSTM"}
EXAMPLES_AT_ONCE = 500


class PlainTorch:
    """The graph of a TensorFlow 1 recipe in PyTorch: one layer, its last state, a softmax, Adam."""

    def __init__(self, settings: Dict[str, Any], table: Optional[np.ndarray], threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(1)
        self.torch = torch
        self.table = None if table is None else torch.from_numpy(table)
        width = settings["input_size"] if table is None else table.shape[1]
        kind = getattr(torch.nn, LAYERS[settings["cell"]])
        both, units = settings["bidirectional"], settings["units"]
        self.layer = kind(width, units, batch_first=True, bidirectional=both)
        self.dropout = torch.nn.Dropout(1 - settings["output_keep_prob"])
        self.out = torch.nn.Linear(units, settings["classes"])
        parameters = [*self.layer.parameters(), *self.out.parameters()]
        self.optimizer = torch.optim.Adam(parameters, settings["learning_rate"])

    def logits(self, inputs: np.ndarray) -> Any:
        """Return the logits ``[batch, classes]``."""
        values = self.torch.from_numpy(inputs)
        if self.table is not None:
            values = self.table[values.long()]
        state = self.layer(values)[1]
        h = state[0] if isinstance(state, tuple) else state
        return self.out(self.dropout(h[-1]))

    def train(self, inputs: np.ndarray, labels: np.ndarray) -> None:
        """Train on one batch."""
        self.dropout.train()
        self.optimizer.zero_grad()
        loss = self.torch.nn.functional.cross_entropy(self.logits(inputs), self.torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        loss.item()


def main(folder: Path) -> int:
    """Build the port, and serve; 3 where there is none."""
    given = json.loads((folder / "settings.json").read_text())
    settings, threads = given["settings"], given["threads"]
    arrays = np.load(str(folder / "batches.npz"))
    table = arrays["word_vectors"] if "word_vectors" in arrays.files else None
    port: Any
    if given["published"]:
        from tf1_lstm.parity.ports.trainer import make_trainer

        port = make_trainer(given["recipe"], settings, table, 1, threads)
    elif settings["cell"] in LAYERS:
        port = PlainTorch(settings, table, threads)
    else:
        return 3
    batches = [(arrays[f"inputs{k}"], arrays[f"labels{k}"]) for k in range(given["batches"])]
    split = arrays["split"]

    def iterate(iteration: int) -> None:
        port.train(*batches[iteration % len(batches)])

    def evaluate() -> int:
        for start in range(0, len(split), EXAMPLES_AT_ONCE):
            if isinstance(port, PlainTorch):
                port.dropout.eval()
                with port.torch.no_grad():
                    port.logits(split[start : start + EXAMPLES_AT_ONCE])
            else:
                port.logits(split[start : start + EXAMPLES_AT_ONCE])
        return len(split)

    serve(iterate, evaluate)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
