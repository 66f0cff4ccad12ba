"""What the child process leaves of a port that is a function."""

import json

import numpy as np

from tests.parity.support import make_bundle, small
from tf1_lstm.parity import child
from tf1_lstm.parity.bundle import write_bundle

# Refuses reviews that it would have to read with padding behind them.
PORT = """
import numpy as np
def run(ids):
    assert (ids[:, -1] != 0).all() or ids.shape[1] == {steps}
    return ids.sum(axis=1).astype("float32")
"""


def test_a_split_of_any_steps_is_run_without_padding_and_keeps_its_order(tmp_path):
    bundle = make_bundle(small("imdb-bilstm2"))
    write_bundle(tmp_path / "a.npz", bundle)
    steps = bundle.inputs.shape[1]  # of the bundle's batch, which has padding
    (tmp_path / "port_without_padding.py").write_text(PORT.format(steps=steps))
    random = np.random.RandomState(0)
    split = random.randint(1, 50, (23, steps + 5)).astype(np.int32)
    for row, length in zip(split, random.randint(1, steps + 5, len(split))):
        row[length:] = 0
    np.save(str(tmp_path / "split.npy"), split)
    request = {
        "bundle": str(tmp_path / "a.npz"),
        "target": f"{tmp_path / 'port_without_padding.py'}:run",
        "split_inputs": str(tmp_path / "split.npy"),
        "batch_size": 4,
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    child.main(tmp_path)
    with np.load(str(tmp_path / "split.npz")) as arrays:
        found = arrays["logits"]
    np.testing.assert_array_equal(found, np.stack([np.zeros(23), split.sum(axis=1)], axis=1))
