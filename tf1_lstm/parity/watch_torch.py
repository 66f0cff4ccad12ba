"""Read weights, states, gradients and updates out of a PyTorch module."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch

from tf1_lstm.parity.layouts import cells_in_order, from_torch
from tf1_lstm.parity.optimizers import EMBEDDING
from tf1_lstm.parity.ports.torch_optimizers import optimizer_of
from tf1_lstm.parity.spec import FRONT, Spec, counted_steps
from tf1_lstm.parity.watch import (
    DENSE_ROLES,
    HALF_MOVES,
    Arrays,
    Fed,
    NotVisibleError,
    TrainedPort,
    Watch,
    Watched,
    assign,
    logits_of,
    name_steps,
)

ValueOf = Callable[[torch.Tensor], np.ndarray]
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
# PyTorch's layers, and the cells that they may stand for.
KNOWN = {"LSTM": ("basic_lstm",), "GRU": ("gru", "gru_reset_after"), "RNN": ("basic_rnn",)}


def _value(tensor: torch.Tensor) -> np.ndarray:
    # A copy: the array would change with the parameter.
    return tensor.detach().cpu().numpy().copy()


def _gradient(tensor: torch.Tensor) -> np.ndarray:
    found = tensor.grad
    if found is None:
        return np.zeros(tensor.shape, np.float32)
    return _value(found.to_dense() if found.is_sparse else found)


class TorchWatch(Watch):
    """An ``nn.Module`` or TorchScript module in evaluation mode.

    Recurrent layers are seen where they are PyTorch's own (``nn.RNN``, ``nn.LSTM``, ``nn.GRU``) or
    have ``tf1_parts()`` (part -> parameter in TensorFlow 1's layout) and, for the states,
    ``tf1_states(inputs)`` (``h`` and ``c``, ``[batch, steps, units]``). The optimizer is that of
    ``configure_optimizers()``, and the loss that of ``loss(logits, class_numbers)``, where there is
    one; else both are the recipe's.

    Args:
      model: the port.
      spec: of the bundle.
    """

    def __init__(self, model: Any, spec: Spec) -> None:
        super().__init__()
        self._model, self._spec = model.eval(), spec

    def logits(self, inputs: Fed) -> np.ndarray:
        """Run the model with dropout off, as ``eval()`` switches it off."""
        found = answer_of(self._model, inputs)
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"the port returned a {type(found).__name__}, expected a tensor of logits")
        return logits_of(_value(found), self._spec)

    def weights(self) -> Arrays:
        """Return the weights by role."""
        return self._by_role(_value, self._spec.cell.forget_bias)

    def steps(self, inputs: Fed) -> Arrays:
        """Run the model, catch what each recurrent layer reads, and run the layer alone for its states."""
        if isinstance(self._model, torch.jit.ScriptModule):
            raise NotVisibleError("TorchScript does not show what its layers read")
        caught: Dict[int, List[Any]] = {}
        layers = self._recurrent()
        first, *more = inputs if isinstance(inputs, tuple) else (inputs,)
        counted = counted_steps(self._spec, first, more[0] if more else None)
        if counted is not None and self._spec.go_backwards and self._spec.mask == "mask_zero":
            counted = counted[:, ::-1].copy()
        shape = first.shape[0], first.shape[1]
        modules = {id(watched.handle): watched.handle for watched in layers}
        hooks = [
            module.register_forward_hook(
                lambda module, args, output: caught.setdefault(id(module), []).append(args[0])
            )
            for module in modules.values()
        ]
        try:
            self.logits(inputs)
        finally:
            for hook in hooks:
                hook.remove()
        seen = caught.get(id(layers[0].handle), [None])[0]
        self._note_first_read(layers[0].handle, seen, shape)
        found: Arrays = {}
        with torch.no_grad():
            for watched in layers:
                found.update(self._layer_states(watched, caught, found, counted, shape))
        return found

    def _note_first_read(self, module: Any, read: Any, shape: Tuple[int, int]) -> None:
        batch = shape[0]
        read, _ = _unpacked(read, None, shape[1])
        if isinstance(read, torch.Tensor) and read.dim() == 3:
            by_step = _own(module) and not module.batch_first and read.shape[1] == batch
            self.first_read = _value(read.transpose(0, 1) if by_step else read)

    def _layer_states(
        self,
        watched: Watched,
        caught: Mapping[int, List[Any]],
        below: Mapping[str, np.ndarray],
        counted: Optional[np.ndarray],
        shape: Tuple[int, int],
    ) -> Arrays:
        """Return the states of one layer; ``below`` holds those of the layers under it."""
        batch = shape[0]
        module, direction = watched.handle, watched.direction
        calls = caught.get(id(module), [None])
        x = calls[min(watched.layer, len(calls) - 1) if self._spec.shared_cell else -1]
        packed = not isinstance(x, torch.Tensor) and x is not None
        x, counted = _unpacked(x, counted, shape[1])
        if not isinstance(x, torch.Tensor) or x.dim() != 3 or (not _own(module) and len(x) != batch):
            raise NotVisibleError("a recurrent layer did not read [batch, steps, inputs]")
        if not _own(module):
            if not hasattr(module, "tf1_states"):
                raise NotVisibleError(f"{type(module).__name__} has no tf1_states")
            if counted is None:
                states = module.tf1_states(x)
            else:
                order = -1 if direction == "bw" else 1
                states = module.tf1_states(x, torch.from_numpy(counted[:, ::order].copy()))
            c = None if states["c"] is None else _value(states["c"])
            return name_steps(watched, _value(states["h"]), c, flip=direction == "bw")
        x = x if module.batch_first or packed else x.transpose(0, 1)
        if len(x) != batch:
            raise NotVisibleError("a recurrent layer reads the batch axis as its steps")
        if watched.layer and _layers(module) > 1:
            read = [below[f"{name}/{watched.layer - 1}/h"] for name in self._spec.directions]
            x = torch.from_numpy(np.concatenate(read, axis=2))
        mask = None if counted is None else torch.from_numpy(counted.copy())
        if direction == "bw" and (module.bidirectional or (packed and mask is not None)):
            # A packed sequence was turned by the port, where the module itself does not.
            x = x.flip(1) if module.bidirectional or mask is None else _turned(x, mask).flip(1)
        if mask is not None and direction == "bw":
            mask = mask.flip(1)
        h, c_states = _run_alone(module, _suffix(module, watched), x, mask)
        c = None if c_states is None else _value(c_states)
        return name_steps(watched, _value(h), c, flip=direction == "bw")

    def train(self, inputs: Fed, labels: np.ndarray) -> TrainedPort:
        """Return the loss, its gradient and three steps of the optimizer; the weights are put back."""
        parameters = [p for p in self._model.parameters() if p.requires_grad]
        kept = [p.detach().clone() for p in parameters]
        step = self.optimizer_step(parameters)
        try:
            updates: List[Arrays] = []
            for number in range(3):
                loss = self.backward(inputs, labels)
                if number == 0:
                    first = float(loss.detach())
                    gradients = self._by_role(_gradient, 0.0, summed_bias=False)
                if self.half_is_unused:
                    break
                step()
                updates.append(self._by_role(_value, self._spec.cell.forget_bias))
        finally:
            with torch.no_grad():
                for parameter, value in zip(parameters, kept):
                    parameter.copy_(value)
        return TrainedPort(first, gradients, updates, HALF_MOVES if self.half_is_unused else "")

    def backward(self, inputs: Fed, labels: np.ndarray) -> torch.Tensor:
        """Return the loss, and leave its gradients with the parameters; the model's mode is not changed."""
        own = getattr(self._model, "loss", None)
        loss_of = own if callable(own) else self._loss
        self._model.zero_grad()
        loss = loss_of(self._model(*_tensors(inputs)), self._targets(labels))
        loss.backward()
        return loss

    def optimizer_step(self, parameters: Sequence[torch.Tensor]) -> Callable[[], Any]:
        """Return what moves the parameters once: the port's own optimizer, else the recipe's."""
        configure = getattr(self._model, "configure_optimizers", None)
        chosen = configure() if callable(configure) else optimizer_of(self._spec.optimizer, parameters)
        step: Callable[[], Any] = chosen.step
        return step

    def _targets(self, labels: np.ndarray) -> torch.Tensor:
        """Return numbers, or classes, -100 (PyTorch's ``ignore_index``) where a step does not count."""
        if self._spec.output == "regression":
            return torch.from_numpy(labels)
        return torch.from_numpy(np.where(labels.any(axis=-1), labels.argmax(axis=-1), -100))

    def _loss(self, answer: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self._spec.output == "regression":
            error_of = (
                torch.nn.functional.l1_loss if self._spec.loss == "absolute" else torch.nn.functional.mse_loss
            )
            return error_of(answer.reshape(targets.shape), targets)
        if self._spec.per_step:
            return torch.nn.functional.cross_entropy(answer.flatten(0, 1), targets.flatten())
        return self._cross_entropy(answer, targets)

    def _cross_entropy(self, answer: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        if self._spec.output == "sigmoid" and answer.shape[1:] in ((), (1,)):
            z = answer.reshape(-1)
            return torch.nn.functional.binary_cross_entropy_with_logits(z, classes.to(z.dtype))
        return torch.nn.functional.cross_entropy(answer, classes)

    def _by_role(self, value_of: ValueOf, forget_bias: float, summed_bias: bool = True) -> Arrays:
        """Return every role's array; ``value_of`` picks the value or the gradient of a parameter."""
        found: Arrays = {}
        for watched in self._recurrent():
            module = watched.handle
            if hasattr(module, "tf1_parts"):
                parts = {part: value_of(parameter) for part, parameter in module.tf1_parts().items()}
            else:
                suffix = _suffix(module, watched)
                arrays = {
                    n: value_of(getattr(module, n + suffix)) for n in NAMES if hasattr(module, n + suffix)
                }
                cell = self._spec.cell_of(watched.layer).with_forget_bias(forget_bias)
                parts = from_torch(cell, arrays, summed_bias)
            for part, array in parts.items():
                found[self._spec.role(watched.direction, watched.layer, part)] = array
        dense = {"softmax": self._linear(self._spec.outputs)}
        if self._spec.dense_units:
            dense["dense"] = self._linear(self._spec.dense_units, other_than=dense["softmax"])
        for name, linear in dense.items():
            kernel, bias = DENSE_ROLES[name]
            used = self.used_half(_value(linear.weight).T, self._spec)
            found[kernel] = value_of(linear.weight).T[used]
            zero = np.zeros(linear.weight.shape[0], np.float32)
            found[bias] = zero if linear.bias is None else value_of(linear.bias)
        if self._spec.front:
            front = self._front()
            found[FRONT[0]], found[FRONT[1]] = value_of(front.weight).T, value_of(front.bias)
        if self._spec.trains_embedding:
            embedding = self._embedding()
            if embedding is None:
                raise NotVisibleError("no nn.Embedding can be seen")
            found[EMBEDDING] = value_of(embedding.weight)
        return found

    def table(self) -> Optional[np.ndarray]:
        """Return the embedding."""
        embedding = self._embedding()
        return None if embedding is None else _value(embedding.weight)

    def _linear(self, width: int, other_than: Any = None) -> Any:
        """Return the last linear layer of that many outputs."""
        found = [
            m
            for m in self._model.modules()
            if m is not other_than
            and getattr(m, "weight", None) is not None
            and m.weight.dim() == 2
            and m.weight.shape[0] == width
            and hasattr(m, "bias")
        ]
        if not found:
            raise NotVisibleError(f"no linear layer of {width} outputs can be seen")
        return found[-1]

    def _front(self) -> Any:
        """Return the first linear layer with the width of the layer in front of the recurrent ones."""
        for module in self._model.modules():
            if _kind(module) == "Linear" and module.weight.shape[0] == self._spec.front_units:
                return module
        raise NotVisibleError(f"no nn.Linear of {self._spec.front_units} outputs can be seen in front")

    def _embedding(self) -> Any:
        found = [m for m in self._model.modules() if _kind(m) == "Embedding"]
        return found[0] if found else None

    def _recurrent(self) -> List[Watched]:
        spec = self._spec
        found = [m for m in self._model.modules() if _own(m) or hasattr(m, "tf1_parts")]
        for module in found:
            if not hasattr(module, "tf1_parts") and spec.cell.name not in KNOWN[_kind(module)]:
                raise NotVisibleError(
                    f"its layer is nn.{_kind(module)}; the model's cell is {spec.cell.name}"
                )
        if len(found) == 1 and _own(found[0]) and _layers(found[0]) * _directions(found[0]) > 1:
            module = found[0]
            if (_layers(module), _directions(module)) != (spec.layers, len(spec.directions)) or (
                spec.shared_cell
            ):
                raise NotVisibleError(
                    f"the port has {_layers(module)} layers in {_directions(module)} directions, "
                    f"expected {spec.layers} in {len(spec.directions)}"
                )
            if spec.layers > 1 and spec.bidirectional and not spec.joined_layers:
                raise NotVisibleError("nn.LSTM joins the directions between layers, TensorFlow 1 does not")
            return [Watched(d, n, module) for d, n in cells_in_order(spec.directions, spec.layers)]
        cells = [(m, place) for m in found for place in range(_directions(m) if _own(m) else 1)]
        return assign([m for m, _ in cells], spec, [place == 1 for _, place in cells])


def answer_of(model: Any, inputs: Fed) -> Any:
    """Return what a module answers in evaluation mode."""
    with torch.no_grad():
        return model.eval()(*_tensors(inputs))


def _tensors(inputs: Fed) -> List[torch.Tensor]:
    """Return what a module takes: ids or rows, and lengths where there are any."""
    if not isinstance(inputs, tuple):
        return [_tensor(inputs)]
    return [_tensor(inputs[0]), torch.from_numpy(inputs[1].astype(np.int64))]


def _unpacked(x: Any, counted: Optional[np.ndarray], steps: int) -> Tuple[Any, Optional[np.ndarray]]:
    """Return a packed sequence as ``[batch, steps, inputs]``, and which it runs; anything else as it is."""
    if not isinstance(x, torch.nn.utils.rnn.PackedSequence):
        return x, counted
    values, lengths = torch.nn.utils.rnn.pad_packed_sequence(x, batch_first=True, total_length=steps)
    return values, np.arange(steps) < lengths.numpy()[:, None]


def _turned(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return of each example the steps that count in the opposite order."""
    places, lengths = torch.arange(x.shape[1]), mask.sum(1, keepdim=True)
    return x.gather(1, torch.where(mask, lengths - 1 - places, places)[:, :, None].expand_as(x))


def _tensor(inputs: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(
        inputs.astype(np.int64) if inputs.dtype.kind in "iu" and inputs.ndim == 2 else inputs
    )


def _own(module: Any) -> bool:
    """Return whether a module is one of PyTorch's recurrent layers (or one in TorchScript)."""
    return hasattr(module, "weight_ih_l0")


def _kind(module: Any) -> str:
    return getattr(module, "original_name", type(module).__name__)


def _layers(module: Any) -> int:
    return int(module.num_layers)


def _directions(module: Any) -> int:
    return 2 if module.bidirectional else 1


def _suffix(module: Any, watched: Watched) -> str:
    layer = watched.layer if _layers(module) > 1 else 0
    return f"_l{layer}" + ("_reverse" if watched.direction == "bw" and module.bidirectional else "")


def _run_alone(module: Any, suffix: str, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> Any:
    """Run one layer of a module step by step: ``h`` and ``c`` (or None), ``[batch, steps, units]``.

    Where the mask is False the state is kept.
    """
    kind = getattr(torch.nn, _kind(module))
    with_bias = hasattr(module, "bias_ih" + suffix)
    options = {"nonlinearity": module.nonlinearity} if _kind(module) == "RNN" else {}
    alone = kind(x.shape[2], module.hidden_size, bias=with_bias, batch_first=True, **options)
    for name in NAMES[: 4 if with_bias else 2]:
        getattr(alone, name + "_l0").copy_(getattr(module, name + suffix))
    state: Any = None
    h: List[torch.Tensor] = []
    c: Optional[List[torch.Tensor]] = [] if _kind(module) == "LSTM" else None
    for step in range(x.shape[1]):
        state = _kept(alone(x[:, step : step + 1], state)[1], state, mask, step)
        h.append(state[0][0] if c is not None else state[0])
        if c is not None:
            c.append(state[1][0])
    return torch.stack(h, 1), None if c is None else torch.stack(c, 1)


def _kept(new: Any, old: Any, mask: Optional[torch.Tensor], step: int) -> Any:
    """Return the new state, h or (h, c) ``[1, batch, units]``, and the old one where a step does not count."""
    if mask is None:
        return new
    if isinstance(new, tuple):
        return tuple(_kept(n, None if old is None else old[k], mask, step) for k, n in enumerate(new))
    return torch.where(mask[None, :, step, None], new, torch.zeros_like(new) if old is None else old)
