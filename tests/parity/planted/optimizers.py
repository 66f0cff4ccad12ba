"""Three steps of the frameworks' own optimizers: ``python optimizers.py {keras,torch} GRADIENTS.npy``.

The gradients are ``[steps, weights]``; the weights begin at 0. One JSON line for each optimizer.
"""

import json
import sys
from typing import Any, Dict, List

import numpy as np

RATE = 0.01


def keras_steps(gradients: np.ndarray) -> Dict[str, List[Any]]:
    import keras

    found: Dict[str, List[Any]] = {}
    for name, optimizer in {
        "RMSprop": keras.optimizers.RMSprop(RATE),
        "Adam": keras.optimizers.Adam(RATE),
    }.items():
        variable = keras.Variable(np.zeros(gradients.shape[1], np.float32))
        found[name] = []
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
            found[name].append(np.asarray(variable.value).tolist())
    return found


def torch_steps(gradients: np.ndarray) -> Dict[str, List[Any]]:
    import torch

    found: Dict[str, List[Any]] = {}
    weight = torch.nn.Parameter(torch.zeros(gradients.shape[1]))
    for name, optimizer in {
        "RMSprop, Keras's settings": torch.optim.RMSprop([weight], RATE, alpha=0.9, eps=1e-7),
        "RMSprop": torch.optim.RMSprop([weight], RATE),
        "Adam": torch.optim.Adam([weight], RATE),
    }.items():
        weight.data.zero_()
        found[name] = []
        for gradient in gradients:
            weight.grad = torch.from_numpy(gradient)
            optimizer.step()
            found[name].append(weight.detach().tolist())
    return found


if __name__ == "__main__":
    steps = keras_steps if sys.argv[1] == "keras" else torch_steps
    for optimizer_name, weights in steps(np.load(sys.argv[2])).items():
        print(json.dumps({"name": optimizer_name, "weights": weights}))
