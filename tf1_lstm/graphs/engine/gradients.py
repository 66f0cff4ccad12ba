"""The derivatives of the engine's ops, for ``tf.gradients``."""

from typing import Any, Dict, List

from tf1_lstm.core.tensorflow import tf

# Outputs of EngineLayer, before what it keeps.
RESULTS = 3


def register(ops: Any) -> None:
    """Register the gradients, once, when the library is loaded."""

    @tf.RegisterGradient("EngineProduct")
    def _product(op: Any, d_projected: Any) -> List[Any]:
        inputs, kernel, bias = op.inputs
        how = _attributes(op, ("instruction_set", "threads", "gates"))
        # Two ops: what nobody asks for is not calculated.
        d_inputs = ops.engine_product_inputs(d_projected, kernel, **how)
        d_kernel, d_bias = ops.engine_product_weights(inputs, d_projected, kernel, **how)
        found = [d_inputs, d_kernel, d_bias]
        for derivative, value in zip(found, (inputs, kernel, bias)):
            derivative.set_shape(value.shape)
        return found

    @tf.RegisterGradient("EngineLayer")
    def _layer(op: Any, *d_results: Any) -> List[Any]:
        projected, size, index, lengths, recurrent, extra, forget_bias = op.inputs
        how = _attributes(op, ("instruction_set", "threads", "cell", "reverse"))
        given = [_or_empty(d, rank) for d, rank in zip(d_results[:RESULTS], (3, 2, 2))]
        found = ops.engine_layer_gradient(
            projected, size, index, lengths, recurrent, extra, forget_bias, op.outputs[RESULTS], *given, **how
        )
        for derivative, value in zip(found, (projected, recurrent, extra)):
            derivative.set_shape(value.shape)
        has_extra = extra.shape[0].value != 0
        return [
            found.d_projected,
            None,
            None,
            None,
            found.d_recurrent,
            found.d_extra if has_extra else None,
            None,
        ]

    tf.no_gradient("EngineProductInputs")
    tf.no_gradient("EngineProductWeights")
    tf.no_gradient("EngineLayerGradient")


def _attributes(op: Any, names: Any) -> Dict[str, int]:
    return {name: op.get_attr(name) for name in names}


def _or_empty(derivative: Any, rank: int) -> Any:
    """The derivative, or an empty tensor where an output is read by nobody."""
    if derivative is None or derivative.op.type in ("ZerosLike", "Fill"):
        return tf.zeros([0] * rank)
    return derivative
