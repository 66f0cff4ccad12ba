"""A Keras port with mistakes planted in it, written without the project's own conversion.

``build(bundle, flaws)`` gives the right model for no flaws.
"""

from typing import Any, Collection

import keras
import numpy as np
from keras import ops

from tf1_lstm.parity.bundle import Bundle

ORDER = "ijfo"


class AlwaysDropout(keras.layers.Layer):
    """Dropout that does not ask whether the model is being trained."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return keras.random.dropout(x, 0.25, seed=self.seeds)


def build(bundle: Bundle, flaws: Collection[str]) -> keras.Model:
    settings = bundle.settings
    inputs, x = _inputs(bundle, flaws)
    if "sequence-reversed" in flaws:
        x = ops.flip(x, axis=1)
    features, layers = _recurrent(bundle, flaws, x)
    if "dropout-scaled-twice" in flaws:
        features = features * settings["output_keep_prob"]
    if "dropout-left-on" in flaws:
        features = AlwaysDropout()(features)
    activation = "softmax" if "probabilities-for-logits" in flaws else None
    dense = keras.layers.Dense(settings["classes"], activation=activation)
    model = keras.Model(inputs, dense(features))
    for layer, direction in layers:
        layer.set_weights(_arrays(bundle, flaws, direction))
    dense.set_weights([bundle.weights["softmax/weights"], bundle.weights["softmax/bias"]])
    if "adam-epsilon" in flaws:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=keras.optimizers.Adam(settings["learning_rate"]), loss=loss)
    return model


def _inputs(bundle: Bundle, flaws: Collection[str]) -> Any:
    steps = bundle.settings["steps"]
    if bundle.vectors is None:
        pictures = keras.Input((steps, bundle.inputs.shape[2]))
        x = pictures * 255 if "not-divided-by-255" in flaws else pictures
        return pictures, ops.transpose(x, (0, 2, 1)) if "columns-for-rows" in flaws else x
    table = bundle.vectors.table()
    last, unknown = bundle.vectors.words - 1, bundle.vectors.unknown
    given = keras.Input((steps,), dtype="int32")
    ids = given
    if "unknown-as-padding" in flaws:
        ids = ops.where(ops.equal(ids, unknown), 0, ids)
    if "padding-in-front" in flaws:
        place = ops.arange(steps)
        used = ops.max(ops.where(ops.not_equal(ids, 0), place + 1, 0), axis=1, keepdims=True)
        ids = ops.take_along_axis(ids, ops.mod(place - (steps - used), steps), axis=1)
    if "ids-shifted" in flaws:
        ids = ops.where(ops.equal(ids, 0), 0, ops.minimum(ids + 1, last))
    embedding = keras.layers.Embedding(*table.shape, trainable=False, mask_zero="padding-masked" in flaws)
    x = embedding(ids)
    embedding.set_weights([table])
    return given, x


def _recurrent(bundle: Bundle, flaws: Collection[str], x: Any) -> Any:
    settings, units = bundle.settings, bundle.settings["units"]
    if settings["cell"] == "gru":
        layer = keras.layers.GRU(units, reset_after="reset-after" in flaws)
        return layer(x), [(layer, "fw")]
    options = {
        "recurrent_activation": "hard_sigmoid" if "hard-sigmoid" in flaws else "sigmoid",
        "activation": "relu" if "relu-for-tanh" in flaws else "tanh",
        "use_bias": "no-bias" not in flaws,
        "return_sequences": True,
        "return_state": True,
    }
    if not settings["bidirectional"]:
        layer = keras.layers.LSTM(units, **options)
        outputs, h, c = layer(x)
        features = c if "cell-state-for-output" in flaws else h
        return outputs[:, 0] if "first-step-for-last" in flaws else features, [(layer, "fw")]
    forward = keras.layers.LSTM(units, **options)
    backward = keras.layers.LSTM(units, go_backwards=True, **options)
    forward_h = forward(x)[1]
    outputs, backward_h, _ = backward(x)
    if "backward-output-at-last-step" in flaws:
        backward_h = outputs[:, 0]  # go_backwards: the first that it ran is the last of the inputs
    directions = ("bw", "fw") if "directions-swapped" in flaws else ("fw", "bw")
    both = [forward_h, backward_h]
    if "directions-joined-in-other-order" in flaws:
        both.reverse()
    return ops.concatenate(both, axis=1), [(forward, directions[0]), (backward, directions[1])]


def _arrays(bundle: Bundle, flaws: Collection[str], direction: str) -> Any:
    if bundle.settings["cell"] == "gru":
        return _gru_arrays(bundle, flaws)
    units = bundle.settings["units"]
    kernel = bundle.weights[f"lstm/{direction}/0/kernel"]
    bias = bundle.weights[f"lstm/{direction}/0/bias"]
    taken = next((f[len("gate-order-") :] for f in flaws if f.startswith("gate-order-")), ORDER)

    def ordered(array: np.ndarray) -> np.ndarray:
        blocks = dict(zip(taken, np.split(array, 4, axis=-1)))
        return np.concatenate([blocks[gate] for gate in "ifjo"], axis=-1)

    kernel, bias = ordered(kernel), ordered(bias).copy()
    times = 0 if "forget-bias-missing" in flaws else 2 if "forget-bias-twice" in flaws else 1
    bias[units : 2 * units] += times * bundle.settings["forget_bias"]
    if "kernels-swapped" in flaws:
        recurrent, kernel = kernel[:units], kernel[units:]
    else:
        kernel, recurrent = kernel[:-units], kernel[-units:]
    if "kernel-transposed" in flaws:
        recurrent = np.concatenate([block.T for block in np.split(recurrent, 4, axis=1)], axis=1)
    return [kernel, recurrent] if "no-bias" in flaws else [kernel, recurrent, bias]


def _gru_arrays(bundle: Bundle, flaws: Collection[str]) -> Any:
    units = bundle.settings["units"]
    weights = {role.split("/", 3)[3]: array for role, array in bundle.weights.items() if role[:3] == "gru"}
    joined = []
    for name in ("kernel", "bias"):
        r, u = np.split(weights[f"gates/{name}"], 2, axis=-1)
        if "gate-order-ur" in flaws:
            r, u = u, r
        joined.append(np.concatenate([u, r, weights[f"candidate/{name}"]], axis=-1))
    kernel, bias = joined
    if "reset-after" in flaws:
        bias = np.stack([bias, np.zeros_like(bias)])
    return [kernel[:-units], kernel[-units:], bias]
