"""What reads the recurrent layer, and what feeds it: softmax, dense layer and embedding, by any name.

Nobody ever agreed on these names (``Variable_1``, ``weights``, ``Prediction_Parameters/Weights``), so
they are found by shape: a softmax is ``[width of the readout, classes]`` with a ``[classes]`` beside it.
Where shapes leave a choice, names must decide it clearly, or nothing is decided.
"""

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from tf1_lstm.checkpoints.cells import Source
from tf1_lstm.checkpoints.formats.tensors import Spec
from tf1_lstm.checkpoints.names import PART
from tf1_lstm.checkpoints.roles import (
    DENSE_BIAS,
    DENSE_KERNEL,
    EMBEDDING,
    SOFTMAX_BIAS,
    SOFTMAX_WEIGHTS,
    Shape,
)

FLOATS = ("float16", "float32", "float64")
EMBEDDING_WORDS = re.compile(r"embed|word_?vec|lookup", re.I)
LARGE_VOCABULARY = 1000  # rows above which a matrix beside the inputs is no dense layer
KERNEL_WORDS = re.compile(r"(?<![a-z])(?:weights?|kernel|matrix|w)(?=[_\d/]|$)", re.I)
BIAS_WORDS = re.compile(r"(?<![a-z])(?:bias(?:es)?|b)(?=[_\d/]|$)", re.I)
VARIABLE = re.compile(r"^(.*/)?Variable(?:_(\d+))?$")


class Layer(NamedTuple):
    """A matrix and the bias that goes with it."""

    kernel: str
    bias: str


class Readout(NamedTuple):
    """What was found around the recurrent part.

    Attributes:
      sources: role -> where its values are; empty where nothing fits.
      candidates: pairs that might have been the softmax, where nothing decides.
      suspects: variables that this program leaves alone though the model may well read them.
      notes: what was concluded rather than read.
    """

    sources: Dict[str, Source]
    candidates: Tuple[Layer, ...] = ()
    suspects: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


def find_readout(
    specs: Mapping[str, Spec],
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
      expected: role -> shape of the graph that is to be filled; decides between softmaxes of
        different shapes and nothing else.
    """
    shapes = {name: specs[name].shape for name in names if specs[name].dtype in FLOATS}
    sources, notes = _embedding(shapes, inputs, widths)
    rest = {name: shape for name, shape in shapes.items() if name not in _used(sources)}
    first = _layers(rest, widths)
    if expected and SOFTMAX_WEIGHTS in expected and DENSE_KERNEL not in expected:
        fitting = [layer for layer in first if rest[layer.kernel] == tuple(expected[SOFTMAX_WEIGHTS])]
        first = fitting or first
    chosen, candidates = _choose(first)
    if chosen:
        second = [layer for layer in _layers(rest, (rest[chosen.kernel][1],)) if not set(layer) & set(chosen)]
        further = [layer for layer in second if layer not in _layers(rest, widths)]
        if len(further) == 1:
            sources.update(_pair(rest, chosen, DENSE_KERNEL, DENSE_BIAS))
            sources.update(_pair(rest, further[0], SOFTMAX_WEIGHTS, SOFTMAX_BIAS))
            notes.append(f"{chosen.kernel} was taken as a layer between the recurrent one and the softmax")
        else:
            sources.update(_pair(rest, chosen, SOFTMAX_WEIGHTS, SOFTMAX_BIAS))
    left = {name: shape for name, shape in rest.items() if name not in _used(sources)}
    return Readout(sources, candidates, _suspects(left, inputs, widths, sources), tuple(notes))


def _used(sources: Mapping[str, Source]) -> List[str]:
    return [name for source in sources.values() for name in source.names]


def _pair(shapes: Mapping[str, Shape], layer: Layer, kernel: str, bias: str) -> Dict[str, Source]:
    return {
        kernel: Source((layer.kernel,), 0, shapes[layer.kernel]),
        bias: Source((layer.bias,), 0, shapes[layer.bias]),
    }


def _embedding(
    shapes: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...]
) -> Tuple[Dict[str, Source], List[str]]:
    fitting = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == inputs]
    named = [name for name in fitting if EMBEDDING_WORDS.search(name)]
    # A model that predicts what it reads, letter by letter, has a softmax of as many columns as inputs.
    large = [name for name in fitting if shapes[name][0] > LARGE_VOCABULARY and shapes[name][0] not in widths]
    chosen = named if len(named) == 1 else large
    if len(chosen) != 1:
        return {}, []
    name = chosen[0]
    note = f"{name} was taken as the embedding: {shapes[name][0]:,} rows of the {inputs} inputs"
    return {EMBEDDING: Source((name,), 0, shapes[name])}, [note]


def _layers(shapes: Mapping[str, Shape], widths: Tuple[int, ...]) -> List[Layer]:
    """Every matrix that reads one of the widths, with every vector that could be its bias."""
    return [
        Layer(kernel, bias)
        for kernel, shape in shapes.items()
        if len(shape) == 2 and shape[0] in widths and shape[1] > 0
        for bias, vector in shapes.items()
        if vector == (shape[1],)
    ]


def _choose(layers: List[Layer]) -> Tuple[Optional[Layer], Tuple[Layer, ...]]:
    """The one pair, or the one whose names fit; else all of them as candidates."""
    if len(layers) == 1:
        return layers[0], ()
    if len({layer.kernel for layer in layers}) == 1:
        related = [layer for layer in layers if _related(layer)]
        if len(related) == 1:
            return related[0], ()
    return None, tuple(layers)


def _related(layer: Layer) -> bool:
    """Whether two names say that they belong together."""
    numbered = VARIABLE.match(layer.kernel), VARIABLE.match(layer.bias)
    if numbered[0] and numbered[1]:
        first, second = (int(match.group(2) or 0) for match in numbered if match)
        return numbered[0].group(1) == numbered[1].group(1) and second == first + 1
    stems = KERNEL_WORDS.sub("*", layer.kernel), BIAS_WORDS.sub("*", layer.bias)
    return stems[0] == stems[1]


def _suspects(
    left: Mapping[str, Shape], inputs: int, widths: Tuple[int, ...], sources: Mapping[str, Source]
) -> Tuple[str, ...]:
    """Matrices that would fit in front of the recurrent layer or behind it."""
    behind = [*widths, *(source.shape[1] for source in sources.values() if len(source.shape) == 2)]
    return tuple(
        name
        for name, shape in left.items()
        if len(shape) == 2 and (shape[1] == inputs or shape[0] in behind) and not PART.match(name)
    )
