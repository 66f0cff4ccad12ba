"""The recurrent cells of TensorFlow 1 in NumPy, backward through time.

Each function takes what ``cells.run`` recorded and returns the derivatives of one number (the loss)
by the cell's weights, in TensorFlow 1's layout, and by its inputs.
"""

from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np

from tf1_lstm.parity.cells import (
    ACTIVATIONS,
    GruArrays,
    Parts,
    ReferenceCell,
    Trace,
    cell_kind,
    gate_order,
    gru_arrays,
    gru_gradients,
    keep,
    split_rows,
)


class Gradients(NamedTuple):
    """Derivatives of one number by a layer's parts and by its inputs ``[batch, steps, inputs]``."""

    parts: Dict[str, np.ndarray]
    inputs: np.ndarray


def back(
    cell: ReferenceCell, parts: Parts, trace: Trace, d_h: np.ndarray, d_c: Optional[np.ndarray] = None
) -> Gradients:
    """Backward through time over what ``cells.run`` recorded.

    Args:
      cell: as given to ``cells.run``.
      parts: as given to ``cells.run``.
      trace: what it returned.
      d_h: ``[batch, steps, units]``, derivative by the output of each step.
      d_c: the same by the cell state of each step; None for zero.
    """
    if cell_kind(cell.name) == "rnn":
        return _back_rnn(cell, parts, trace, d_h)
    if cell_kind(cell.name) == "gru":
        return _back_gru(cell, parts, trace, d_h)
    return _back_lstm(cell, parts, trace, d_h, d_c)


def _previous(states: np.ndarray) -> np.ndarray:
    """Shift states by a step, to those before each step: zero, then the state of the step before."""
    return np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)


def _outer(inputs: np.ndarray, d_outputs: np.ndarray) -> np.ndarray:
    """Sum the outer products over batch and steps: ``[n, m]``."""
    return inputs.reshape(-1, inputs.shape[-1]).T @ d_outputs.reshape(-1, d_outputs.shape[-1])


def _back_rnn(cell: ReferenceCell, parts: Parts, trace: Trace, d_h: np.ndarray) -> Gradients:
    slope = ACTIVATIONS[cell.state_activation][1]
    input_kernel, recurrent = split_rows(parts["kernel"], cell.units)
    d_z = np.zeros_like(trace.h)
    carried = np.zeros_like(trace.h[:, 0])
    for step in reversed(range(trace.h.shape[1])):
        total = d_h[:, step] + carried
        d_z[:, step] = keep(trace.mask, step, total * slope(trace.h[:, step]), np.zeros_like(total))
        carried = keep(trace.mask, step, d_z[:, step] @ recurrent.T, total)
    kernel = np.concatenate([_outer(trace.inputs, d_z), _outer(_previous(trace.h), d_z)])
    return Gradients({"kernel": kernel, "bias": d_z.sum(axis=(0, 1))}, d_z @ input_kernel.T)


def _back_lstm(
    cell: ReferenceCell, parts: Parts, trace: Trace, d_h: np.ndarray, d_c: Optional[np.ndarray]
) -> Gradients:
    assert trace.c is not None
    input_kernel, recurrent = split_rows(parts["kernel"], cell.units)
    previous_c = _previous(trace.c)
    order = gate_order(cell.name)
    d_gates = {name: np.zeros_like(trace.h) for name in order}
    carried_h = carried_c = np.zeros_like(trace.h[:, 0])
    for step in reversed(range(trace.h.shape[1])):
        total_h = d_h[:, step] + carried_h
        total_c = carried_c if d_c is None else carried_c + d_c[:, step]
        d_z, back_c = _lstm_step_back(cell, parts, trace, step, total_h, total_c)
        nothing = np.zeros_like(total_h)
        for name in order:
            d_gates[name][:, step] = keep(trace.mask, step, d_z[name], nothing)
        joined = np.concatenate([d_z[name] for name in order], axis=1)
        carried_h = keep(trace.mask, step, joined @ recurrent.T, total_h)
        carried_c = keep(trace.mask, step, back_c, total_c)
    d_all = np.concatenate([d_gates[name] for name in order], axis=2)  # [batch, steps, gates * units]
    found = {
        "kernel": np.concatenate([_outer(trace.inputs, d_all), _outer(_previous(trace.h), d_all)]),
        "bias": d_all.sum(axis=(0, 1)),
    }
    for name, seen in (("i", previous_c), ("f", previous_c), ("o", trace.c)):
        if f"w_{name}_diag" in parts:
            found[f"w_{name}_diag"] = (d_gates[name] * seen).sum(axis=(0, 1))
    return Gradients(found, d_all @ input_kernel.T)


def _lstm_step_back(
    cell: ReferenceCell, parts: Parts, trace: Trace, step: int, d_h: np.ndarray, d_c: np.ndarray
) -> Tuple[Dict[str, np.ndarray], np.ndarray]:
    """Return the derivatives by each gate's argument, and by the cell state before the step."""
    assert trace.c is not None
    c_before = trace.c[:, step - 1] if step else np.zeros_like(d_c)
    gate_slope = ACTIVATIONS[cell.gate_activation][1]
    squash, squash_slope = ACTIVATIONS[cell.state_activation]
    i, j, f, o = (trace.gates[name][:, step] for name in ("i", "j", "f", "o"))
    seen = squash(trace.c[:, step])
    d_z = {"o": d_h * seen * gate_slope(o)}
    d_c = d_c + d_h * o * squash_slope(seen)
    if "w_o_diag" in parts:
        d_c = d_c + d_z["o"] * parts["w_o_diag"]
    coupled = cell.name == "lstm_coupled"
    d_z["j"] = d_c * i * squash_slope(j)
    d_z["f"] = d_c * ((c_before - j) if coupled else c_before) * gate_slope(f)
    back_c = d_c * f
    if not coupled:
        d_z["i"] = d_c * j * gate_slope(i)
    for name in ("i", "f"):
        if f"w_{name}_diag" in parts:
            back_c = back_c + d_z[name] * parts[f"w_{name}_diag"]
    return d_z, back_c


def _back_gru(cell: ReferenceCell, parts: Parts, trace: Trace, d_h: np.ndarray) -> Gradients:
    gate_slope, squash_slope = ACTIVATIONS[cell.gate_activation][1], ACTIVATIONS[cell.state_activation][1]
    own, before = gru_arrays(cell, parts), _previous(trace.h)
    r, u, candidate = trace.gates["r"], trace.gates["u"], trace.gates["candidate"]
    d_gates, d_new = np.zeros_like(np.concatenate([r, u], axis=2)), np.zeros_like(trace.h)
    carried = np.zeros_like(trace.h[:, 0])
    for step in reversed(range(trace.h.shape[1])):
        total, h = d_h[:, step] + carried, before[:, step]
        d_z = total * (1 - u[:, step]) * squash_slope(candidate[:, step])
        if cell.resets_after:
            product = h @ own.new_back + own.new_back_bias
            d_r, d_back = d_z * product, (d_z * r[:, step]) @ own.new_back.T
        else:
            d_reset = d_z @ own.new_back.T
            d_r, d_back = d_reset * h, d_reset * r[:, step]
        d_u = total * (h - candidate[:, step])
        d_both = np.concatenate([d_r * gate_slope(r[:, step]), d_u * gate_slope(u[:, step])], axis=1)
        d_gates[:, step] = keep(trace.mask, step, d_both, np.zeros_like(d_both))
        d_new[:, step] = keep(trace.mask, step, d_z, np.zeros_like(d_z))
        carried = keep(trace.mask, step, total * u[:, step] + d_back + d_both @ own.gates_back.T, total)
    read, d_product = (before, d_new * r) if cell.resets_after else (before * r, d_new)
    found = GruArrays(
        gates_in=_outer(trace.inputs, d_gates),
        gates_back=_outer(before, d_gates),
        gates_bias=d_gates.sum(axis=(0, 1)),
        new_in=_outer(trace.inputs, d_new),
        new_back=_outer(read, d_product),
        new_bias=d_new.sum(axis=(0, 1)),
        new_back_bias=d_product.sum(axis=(0, 1)),
    )
    return Gradients(gru_gradients(cell, parts, found), d_gates @ own.gates_in.T + d_new @ own.new_in.T)
