"""What reads the recurrent layer, and what feeds it: softmax, dense layer and embedding, by any name.

Nobody ever agreed on these names (``Variable_1``, ``weights``, ``Prediction_Parameters/Weights``), so
they are found by shape: a softmax is ``[width of the readout, classes]`` with a ``[classes]`` beside it.
Where shapes leave a choice, names must decide it clearly, or nothing is decided.
"""

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.canonical import (
    DENSE_BIAS,
    DENSE_KERNEL,
    EMBEDDING,
    SOFTMAX_BIAS,
    SOFTMAX_WEIGHTS,
    Shape,
)
from tf1_lstm.checkpoints.cells import Source
from tf1_lstm.checkpoints.formats.tensors import VariableSpec
from tf1_lstm.checkpoints.names import PART

FLOATS = ("float16", "float32", "float64")
EMBEDDING_WORDS = re.compile(r"embed|word_?vec|lookup", re.I)
LARGE_VOCABULARY = 1000  # rows above which a matrix beside the inputs is no dense layer
KERNEL_WORDS = re.compile(r"(?<![a-z])(?:weights?|kernel|matrix|w)(?=[_\d/]|$)", re.I)
BIAS_WORDS = re.compile(r"(?<![a-z])(?:bias(?:es)?|b)(?=[_\d/]|$)", re.I)
VARIABLE = re.compile(r"^(.*/)?Variable(?:_(\d+))?$")


class DenseLayer(NamedTuple):
    """A matrix and the bias that goes with it."""

    kernel: str
    bias: str


Chain = Tuple[
    DenseLayer, ...
]  # what is behind the recurrent layer, in order: a softmax, or a dense layer and one
CHAIN = ((DENSE_KERNEL, DENSE_BIAS), (SOFTMAX_WEIGHTS, SOFTMAX_BIAS))


FRONT = ("front/kernel", "front/bias")


class Readout(NamedTuple):
    """What was found around the recurrent part.

    Attributes:
      sources: role -> where its values are; empty where nothing fits.
      candidates: pairs that might have been the softmax, where nothing decides.
      unassigned: variables that this program leaves alone though the model may well read them.
      notes: what was concluded rather than read.
    """

    sources: Dict[str, Source]
    candidates: Tuple[DenseLayer, ...] = ()
    unassigned: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


def find_readout(
    specs: Mapping[str, VariableSpec],
    names: List[str],
    inputs: int,
    widths: Tuple[int, ...],
    expected: Optional[Mapping[str, Shape]] = None,
) -> Readout:
    """Find softmax, dense layer and embedding among the variables of no cell.

    Args:
      specs: all variables.
      names: those that belong neither to a cell nor to an optimizer.
      inputs: what the first recurrent layer reads at each step.
      widths: what the softmax may read: ``units``, and ``2 * units`` with two directions.
      expected: role -> shape of the graph that is to be filled; decides between variables of
        different shapes and nothing else.
    """
    shapes = {name: specs[name].shape for name in names if specs[name].dtype in FLOATS}
    wanted = {role: tuple(shape) for role, shape in (expected or {}).items()}
    sources, notes = _embedding(shapes, inputs, widths, wanted.get(EMBEDDING))
    rest = {name: shape for name, shape in shapes.items() if name not in _used(sources)}
    front = _named_front(rest, inputs, wanted)
    rest = {name: shape for name, shape in rest.items() if name not in front}
    chain, candidates = _behind(rest, inputs, widths, wanted)
    for layer, (kernel, bias) in zip(reversed(chain), reversed(CHAIN)):
        sources[kernel] = Source((layer.kernel,), 0, rest[layer.kernel])
        sources[bias] = Source((layer.bias,), 0, rest[layer.kernel][1:])  # it may be stored as [1, n]
    if len(chain) == 2 and not _is_named(chain):
        notes.append(f"{chain[0].kernel} was taken as a layer between the recurrent one and the softmax")
    left = {name: shape for name, shape in rest.items() if name not in _used(sources)}
    front = front or _only_in_front(left, inputs, widths, sources)
    for role, name in zip(FRONT, front):
        sources[role] = Source((name,), 0, shapes[name] if role == FRONT[0] else (inputs,))
        left.pop(name, None)
    both = [] if front else _front_or_behind(left, inputs, sources)
    notes += [
        f"{name} may be a layer in front of the recurrent one or behind it: nothing decides" for name in both
    ]
    return Readout(sources, candidates, _unassigned(left, inputs, widths, sources), tuple(notes))


def _named_front(shapes: Mapping[str, Shape], inputs: int, wanted: Mapping[str, Shape]) -> Tuple[str, ...]:
    """The layer in front of the recurrent one, where own names or the expected shape say so."""
    for name, shape in shapes.items():
        if (name == FRONT[0] or name.endswith("/" + FRONT[0])) and len(shape) == 2 and shape[1] == inputs:
            bias = name[: -len(FRONT[0])] + FRONT[1]
            if shapes.get(bias) == (inputs,):
                return name, bias
    if FRONT[0] not in wanted:
        return ()
    chosen = _choose([layer for layer in _giving(shapes, inputs) if shapes[layer.kernel] == wanted[FRONT[0]]])
    return tuple(chosen) if chosen else ()


def _giving(shapes: Mapping[str, Shape], inputs: int) -> List[DenseLayer]:
    """Every matrix that gives what the recurrent layer reads, with every vector that could be its bias."""
    return _layers({name: shape for name, shape in shapes.items() if shape[-1:] == (inputs,)}, None)


def _only_in_front(
    left: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...], sources: Mapping[str, Source]
) -> Tuple[str, ...]:
    """The one layer that gives what the recurrent one reads, where nothing behind could feed it."""
    behind = {*widths, *(source.shape[-1] for source in sources.values() if len(source.shape) == 2)}
    chosen = _choose(_giving(left, inputs))
    if EMBEDDING in sources or chosen is None or left[chosen.kernel][0] in behind:
        return ()
    return tuple(chosen)


def _front_or_behind(left: Mapping[str, Shape], inputs: int, sources: Mapping[str, Source]) -> List[str]:
    """Matrices that would fit in front of the recurrent layer and behind the last one."""
    behind = {source.shape[1] for role, source in sources.items() if role in (SOFTMAX_WEIGHTS, DENSE_KERNEL)}
    return [layer.kernel for layer in _giving(left, inputs) if left[layer.kernel][0] in behind]


def _used(sources: Mapping[str, Source]) -> List[str]:
    return [name for source in sources.values() for name in source.names]


def _embedding(
    shapes: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...], expected: Optional[Shape]
) -> Tuple[Dict[str, Source], List[str]]:
    fitting = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == inputs]
    exact = [name for name in fitting if shapes[name] == expected and shapes[name][0] not in widths]
    named = [name for name in fitting if EMBEDDING_WORDS.search(name)]
    # A model that predicts what it reads, letter by letter, has a softmax of as many columns as inputs.
    large = [name for name in fitting if shapes[name][0] > LARGE_VOCABULARY and shapes[name][0] not in widths]
    chosen = next((names for names in (exact, named, large) if len(names) == 1), None)
    if chosen is None:
        return {}, []
    name = chosen[0]
    note = f"{name} was taken as the embedding: {shapes[name][0]:,} rows of the {inputs} inputs"
    return {EMBEDDING: Source((name,), 0, shapes[name])}, [note]


def _behind(
    shapes: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...], expected: Mapping[str, Shape]
) -> Tuple[Chain, Tuple[DenseLayer, ...]]:
    """The layers behind the recurrent one, and the candidates where nothing decides."""
    first = _layers(shapes, widths)
    if DENSE_KERNEL in expected and SOFTMAX_WEIGHTS in expected:
        chain = _expected_chain(shapes, inputs, first, expected)
        if chain:
            return chain, ()
    elif SOFTMAX_WEIGHTS in expected:
        fitting = [layer for layer in first if shapes[layer.kernel] == expected[SOFTMAX_WEIGHTS]]
        if fitting:
            return _straight_or_longer(shapes, fitting, inputs, widths)
    named = _named_chains(shapes, widths)
    return (named[0], ()) if len(named) == 1 else _straight_or_longer(shapes, first, inputs, widths)


def _expected_chain(
    shapes: Mapping[str, Shape], inputs: int, first: List[DenseLayer], expected: Mapping[str, Shape]
) -> Chain:
    """The dense layer and the softmax of the expected shapes, where no other two have them."""
    width = expected[DENSE_KERNEL][1]
    dense = _choose([layer for layer in first if shapes[layer.kernel] == expected[DENSE_KERNEL]])
    last = _layers(shapes, (width,))
    softmax = _choose([layer for layer in last if shapes[layer.kernel] == expected[SOFTMAX_WEIGHTS]])
    if dense is None or softmax is None or set(dense) & set(softmax):
        return ()
    may_be_in_front = width == inputs
    return () if may_be_in_front and not _is_named((dense, softmax)) else (dense, softmax)


def _straight_or_longer(
    shapes: Mapping[str, Shape], first: List[DenseLayer], inputs: int, widths: Tuple[int, ...]
) -> Tuple[Chain, Tuple[DenseLayer, ...]]:
    """The one layer that reads the recurrent one, with the one that reads only that where there is any."""
    chosen = _choose(first)
    if chosen is None:
        return (), tuple(first)
    straight = _layers(shapes, widths)
    second = [layer for layer in _layers(shapes, (shapes[chosen.kernel][1],)) if not set(layer) & set(chosen)]
    # One that gives what the recurrent layer reads may as well stand in front of it.
    further = [layer for layer in second if layer not in straight and shapes[layer.kernel][1] != inputs]
    return ((chosen, further[0]) if len(further) == 1 else (chosen,)), ()


def _named_chains(shapes: Mapping[str, Shape], widths: Tuple[int, ...]) -> List[Chain]:
    """Dense layers and softmaxes under this program's own names, in any scope, where their shapes fit."""
    found: List[Chain] = []
    for name in shapes:
        if name == DENSE_KERNEL or name.endswith("/" + DENSE_KERNEL):
            scope = name[: -len(DENSE_KERNEL)]
            dense, softmax = (DenseLayer(scope + kernel, scope + bias) for kernel, bias in CHAIN)
            if _fits(shapes, dense, widths) and _fits(shapes, softmax, shapes[name][1:]):
                found.append((dense, softmax))
    return found


def _fits(shapes: Mapping[str, Shape], layer: DenseLayer, widths: Tuple[int, ...]) -> bool:
    """Whether a layer is there and reads one of the widths."""
    kernel = shapes.get(layer.kernel, ())
    return len(kernel) == 2 and kernel[0] in widths and shapes.get(layer.bias) == kernel[1:] != (0,)


def _is_named(chain: Chain) -> bool:
    """Whether a chain of two has this program's own names."""
    scope = chain[0].kernel[: -len(DENSE_KERNEL)]
    return chain == tuple(DenseLayer(scope + kernel, scope + bias) for kernel, bias in CHAIN)


def _layers(shapes: Mapping[str, Shape], widths: Optional[Tuple[int, ...]]) -> List[DenseLayer]:
    """Every matrix that reads one of the widths (None: any), with every vector that could be its bias."""
    plain = set(shapes.values())
    return [
        DenseLayer(kernel, bias)
        for kernel, shape in shapes.items()
        if len(shape) == 2 and (widths is None or shape[0] in widths) and shape[1] > 0
        for bias, vector in shapes.items()
        if vector == (shape[1],) or (vector == (1, shape[1]) and bias != kernel and (shape[1],) not in plain)
    ]


def _choose(layers: List[DenseLayer]) -> Optional[DenseLayer]:
    """The one pair, or of those with one kernel the one whose names fit."""
    if len({layer.kernel for layer in layers}) != 1:
        return None
    related = layers if len(layers) == 1 else [layer for layer in layers if _related(layer)]
    return related[0] if len(related) == 1 else None


def _related(layer: DenseLayer) -> bool:
    """Whether two names say that they belong together."""
    numbered = VARIABLE.match(layer.kernel), VARIABLE.match(layer.bias)
    if numbered[0] and numbered[1]:
        first, second = (int(match.group(2) or 0) for match in numbered if match)
        return numbered[0].group(1) == numbered[1].group(1) and second == first + 1
    stems = KERNEL_WORDS.sub("*", layer.kernel), BIAS_WORDS.sub("*", layer.bias)
    return stems[0] == stems[1]


def _unassigned(
    left: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...], sources: Mapping[str, Source]
) -> Tuple[str, ...]:
    """Matrices that would fit in front of the recurrent layer or behind it."""
    behind = [*widths, *(source.shape[1] for source in sources.values() if len(source.shape) == 2)]
    return tuple(
        name
        for name, shape in left.items()
        if len(shape) == 2 and (shape[1] == inputs or shape[0] in behind) and not PART.match(name)
    )
