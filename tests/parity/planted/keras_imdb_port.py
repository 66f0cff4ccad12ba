"""A Keras port of a recipe of word ids with mistakes planted in it, without the project's own conversion.

``build(bundle, flaws)`` gives the right model for no flaws: an embedding, GRU layers with two biases,
a dense layer with a ReLU where the recipe has one, one sigmoid.
"""

from typing import Any, Collection, List

import keras
import numpy as np
from keras import ops

from tf1_lstm.parity.bundle import Bundle


class AlwaysDropout(keras.layers.Layer):
    """Dropout that does not ask whether the model is being trained; one mask for all steps where asked."""

    def __init__(self, rate: float, one_mask: bool, **options: Any) -> None:
        super().__init__(**options)
        self.rate, self.one_mask = rate, one_mask
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        shape = (x.shape[0], 1, x.shape[2]) if self.one_mask else None
        return keras.random.dropout(x, self.rate, noise_shape=shape, seed=self.seeds)


class PublishedRMSprop(keras.optimizers.RMSprop):
    """RMSprop with its epsilon added to the root, in plain arithmetic."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        mean_square = self._velocities[self._get_variable_index(variable)]
        mean_square.assign(0.9 * mean_square + 0.1 * gradient * gradient)
        variable.assign_sub(learning_rate * gradient / (ops.sqrt(mean_square) + 1e-7))


def build(bundle: Bundle, flaws: Collection[str]) -> keras.Model:
    settings, weights = bundle.settings, bundle.weights
    drops = "dropout-left-on" in flaws
    rate = 1 - settings["keep_prob"]
    # A fixed batch, so that AlwaysDropout can draw a mask for it.
    given = keras.Input(batch_shape=bundle.inputs.shape, dtype="int32")
    embedding = keras.layers.Embedding(
        *weights["embedding"].shape,
        mask_zero="padding-masked" in flaws,
        trainable="embedding-frozen" not in flaws,
    )
    x = embedding(_ids(given, bundle, flaws))
    layers: List[Any] = []
    states: List[Any] = []
    for _ in range(settings["layers"]):
        layer = keras.layers.GRU(
            settings["units"], return_sequences=True, reset_after="reset-before" not in flaws
        )
        x = layer(AlwaysDropout(rate, True)(x) if drops else x)
        layers.append(layer)
        states.append(x[:, 0] if "first-step-for-last" in flaws else x[:, -1])
    features = states[0 if "first-layer-for-last" in flaws else -1]
    dense = keras.layers.Dense(settings["dense_units"])
    features = dense(features)
    features = AlwaysDropout(rate, False)(features) if drops else features
    features = features if "dense-relu-missing" in flaws else ops.relu(features)
    if "dropout-scaled-twice" in flaws:
        features = features * settings["keep_prob"]
    returns_probabilities = "probabilities-for-logits" in flaws
    last = keras.layers.Dense(1, activation="sigmoid" if returns_probabilities else None)
    answer = last(features)
    model = keras.Model(given, -answer if "classes-swapped" in flaws else answer)
    embedding.set_weights([weights["embedding"]])
    for number, layer in enumerate(layers):
        layer.set_weights(_gru_arrays(bundle, flaws, number))
    dense.set_weights([weights["dense/kernel"], weights["dense/bias"]])
    last.set_weights([weights["softmax/weights"], weights["softmax/bias"]])
    own = keras.optimizers.RMSprop if "rmsprop-epsilon" in flaws else PublishedRMSprop
    model.compile(optimizer=own(settings["learning_rate"]), loss=_loss(flaws, returns_probabilities))
    return model


def _loss(flaws: Collection[str], of_probabilities: bool) -> Any:
    if of_probabilities:
        return keras.losses.BinaryCrossentropy()

    def loss(classes: Any, logits: Any) -> Any:
        if "labels-swapped" in flaws:
            classes = 1 - classes
        found = keras.losses.binary_crossentropy(classes, logits, from_logits=True)
        return ops.sum(found) if "loss-summed" in flaws else ops.mean(found)

    return loss


def _ids(ids: Any, bundle: Bundle, flaws: Collection[str]) -> Any:
    assert bundle.words is not None
    steps = bundle.inputs.shape[1]
    if "unknown-as-padding" in flaws:
        ids = ops.where(ops.equal(ids, bundle.words.unknown), 0, ids)
    if "padding-behind" in flaws:
        place = ops.arange(steps)
        padding = ops.min(ops.where(ops.not_equal(ids, 0), place, steps), axis=1, keepdims=True)
        ids = ops.take_along_axis(ids, ops.mod(place + padding, steps), axis=1)
    if "ids-shifted" in flaws:  # the ids of a word list, without the three that Keras keeps
        ids = ops.where(ops.equal(ids, 0), 0, ops.maximum(ids - 3, 0))
    return ids


def _gru_arrays(bundle: Bundle, flaws: Collection[str], layer: int) -> List[np.ndarray]:
    arrays = [bundle.weights[f"gru/fw/{layer}/{part}"] for part in ("kernel", "recurrent_kernel", "bias")]
    if "gate-order-ruc" in flaws:
        arrays = [np.concatenate([b, a, c], -1) for a, b, c in (np.split(x, 3, axis=-1) for x in arrays)]
    kernel, recurrent, bias = arrays
    if "biases-swapped" in flaws:
        bias = bias[::-1]
    if "biases-summed" in flaws:
        bias = np.stack([bias.sum(axis=0), np.zeros_like(bias[0])])
    if "kernel-transposed" in flaws:
        recurrent = np.concatenate([block.T for block in np.split(recurrent, 3, axis=1)], axis=1)
    return [kernel, recurrent, bias.sum(axis=0) if "reset-before" in flaws else bias]
