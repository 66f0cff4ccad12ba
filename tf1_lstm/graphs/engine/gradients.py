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
        how = _attributes(op, ("instruction_set", "threads", "cell", "reverse", "multiply"))
        given = [_or_empty(d, rank) for d, rank in zip(d_results[:RESULTS], (3, 2, 2))]

        def gradient(project: bool) -> Any:
            return ops.engine_layer_gradient(
                *op.inputs, op.outputs[RESULTS], *given, project=int(project), **how
            )

        recurrent, extra = op.inputs[4:6]
        inputs, kernel = op.inputs[7:9]
        d_inputs = d_kernel = d_bias = d_projected = None
        if how["multiply"]:
            # What is fed has derivatives that hardly anybody asks for: they are another op, not calculated then.
            found = gradient(not _is_fed(inputs))
            d_kernel, d_bias = found.d_kernel, found.d_bias
            by_step = (gradient(True) if _is_fed(inputs) else found).d_projected
            product = _attributes(op, ("instruction_set", "threads"))
            gates = kernel.shape[1].value // recurrent.shape[0].value
            d_inputs = ops.engine_product_inputs(by_step, kernel, gates=gates, **product)
        else:
            found = gradient(True)
            d_projected = found.d_projected
        d_extra = found.d_extra if extra.shape[0].value else None
        derivatives = [
            d_projected,
            None,
            None,
            None,
            found.d_recurrent,
            d_extra,
            None,
            d_inputs,
            d_kernel,
            d_bias,
        ]
        for derivative, value in zip(derivatives, op.inputs):
            if derivative is not None:
                derivative.set_shape(value.shape)
        return derivatives

    tf.no_gradient("EngineProductInputs")
    tf.no_gradient("EngineProductWeights")
    tf.no_gradient("EngineLayerGradient")


def _attributes(op: Any, names: Any) -> Dict[str, int]:
    return {name: op.get_attr(name) for name in names}


def _is_fed(value: Any) -> bool:
    """Whether a tensor is a placeholder, or one in another shape."""
    while value.op.type in ("Reshape", "Identity", "Cast"):
        value = value.op.inputs[0]
    return value.op.type in ("Placeholder", "PlaceholderWithDefault")


def _or_empty(derivative: Any, rank: int) -> Any:
    """The derivative, or an empty tensor where an output is read by nobody."""
    if derivative is None or derivative.op.type in ("ZerosLike", "Fill"):
        return tf.zeros([0] * rank)
    return derivative
