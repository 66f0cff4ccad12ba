"""Mistakes that show in loss, gradients or the optimizer's steps only."""

import itertools
from typing import Any, Dict, Iterator, List, Tuple

from tf1_lstm.parity.cells import gate_order
from tf1_lstm.parity.fits import decay_of, learning_rate_of, rounded, smoothing_of
from tf1_lstm.parity.mistake import Change, Mistake
from tf1_lstm.parity.optimizers import AdamRule, GradientDescent, RMSprop
from tf1_lstm.parity.problem import Numbers, Problem

# What people set.
DECAYS = (1e-1, 1e-2, 5e-3, 4e-3, 1e-3, 5e-4, 1e-4, 1e-5)
CLIPPED_AT = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


def entries(problem: Problem, seen: Numbers) -> Iterator[Mistake]:
    """Yield every mistake of training that this model allows; ``seen`` gives settings away."""
    spec = problem.spec
    yield from _of_optimizer(problem, seen)
    smoothing = smoothing_of(problem.labels, seen)
    if smoothing is not None:
        yield Mistake(
            "labels-smoothed",
            f"by {smoothing:g}",
            f"the labels are smoothed by {smoothing:g}; the original takes them as they are",
            {"any": "loss = cross_entropy(logits, labels)  # label_smoothing=0"},
            _spec(label_smoothing=smoothing),
        )
    if isinstance(spec.optimizer, RMSprop):
        yield from _rmsprop(spec.optimizer)
    elif isinstance(spec.optimizer, AdamRule):
        yield from _adam(spec.optimizer)
    if spec.double_bias:
        yield Mistake(
            "bias-trained-once",
            "",
            "one bias is trained; PyTorch trains two that are added, so that their sum moves twice as far",
            {"any": "bias -= 2 * step", "torch": "lstm.bias_hh_l0.requires_grad_(True)  # every bias"},
            _spec(double_bias=False),
        )
    elif spec.cell.name != "gru_reset_after":
        yield Mistake(
            "bias-trained-twice",
            "",
            "a layer's two biases are both trained, so that their sum moves twice as far",
            {"any": "train one bias", "torch": "lstm.bias_hh_l0.requires_grad_(False)"},
            _spec(double_bias=True),
        )
    yield from _losses(problem)
    if spec.trains_embedding:
        yield from _embedding()


def _spec(**changes: object) -> Change:
    return lambda problem: problem.with_spec(**changes)


def _optimizer(**changes: object) -> Change:
    return lambda problem: problem.with_optimizer(**changes)


def _of_optimizer(problem: Problem, seen: Numbers) -> Iterator[Mistake]:
    """Yield what may be wrong with any optimizer: its kind, rate, decay and clipping."""
    own = problem.spec.optimizer
    rate = learning_rate_of(own, problem, seen)
    if rate and rate != rounded(own.learning_rate):
        yield Mistake(
            "learning-rate",
            f"{rate:g}",
            f"the learning rate is {rate:g}; the original's is {own.learning_rate:g}",
            {"any": f"learning_rate={own.learning_rate:g}"},
            _optimizer(learning_rate=rate),
        )
    others: Tuple[Any, ...] = (GradientDescent, RMSprop, AdamRule)
    for other in [kind for kind in others if not isinstance(own, kind)]:
        name = {GradientDescent: "plain gradient descent", RMSprop: "RMSprop", AdamRule: "Adam"}[other]
        found = learning_rate_of(other(own.learning_rate), problem, seen)
        for used in dict.fromkeys([own.learning_rate, found or own.learning_rate]):
            at = "" if used == own.learning_rate else f", at {used:g}"
            yield Mistake(
                "another-optimizer",
                name + at,
                f"it is trained by {name}{at}; the original by {own.document()['name']}",
                {"any": f"the optimizer {own.document()['name']} with learning_rate={own.learning_rate:g}"},
                _spec(optimizer=other(used)),
                common=False,
            )
    says = "the weights decay by {:g}; the original's do not"
    for decay, (where, held) in itertools.product(DECAYS, _held(problem)):
        yield Mistake(
            "weight-decay",
            f"{decay:g}, added to the gradient{where}",
            says.format(decay),
            {"any": "weight_decay=0"},
            _optimizer(weight_decay=decay, held=held),
            common=False,
        )
    decoupled = decay_of(own, problem, seen)
    for where, held in _held(problem) if decoupled is not None else ():
        yield Mistake(
            "weight-decay",
            f"{decoupled:g}, decoupled{where}",
            says.format(decoupled),
            {"any": "weight_decay=0; Adam, not AdamW"},
            _optimizer(decoupled_decay=decoupled, held=held),
        )
    for clip, most in itertools.product(("global norm", "norm", "value"), CLIPPED_AT):
        yield Mistake(
            "gradients-clipped",
            f"{clip}, at {most:g}",
            f"gradients are clipped (by {clip}, at {most:g}); the original's are not",
            {"any": "no clipping", "keras": "no clipnorm, clipvalue or global_clipnorm"},
            _optimizer(clip=clip, clip_at=most),
            common=False,
        )


def _held(problem: Problem) -> List[Tuple[str, Tuple[Tuple[str, int, int, float], ...]]]:
    """Return what may decay: the weights as TensorFlow 1 saves them, or with the forget bias in the bias."""
    spec, cell = problem.spec, problem.spec.cell
    found: List[Tuple[str, Tuple[Tuple[str, int, int, float], ...]]] = [("", ())]
    if cell.has_c and cell.forget_bias and "f" in gate_order(cell.name):
        place, blocks = gate_order(cell.name).index("f"), len(gate_order(cell.name))
        units = {
            role: len(bias) // blocks
            for role, bias in problem.weights.items()
            if spec.is_recurrent_bias(role)
        }
        held = tuple((role, place * n, (place + 1) * n, cell.forget_bias) for role, n in units.items())
        found.insert(0, (", the forget bias too", held))
    return found


def _adam(adam: AdamRule) -> Iterator[Mistake]:
    rate = adam.learning_rate
    if adam.epsilon_hat:
        fixes = {
            "any": f"Adam with learning_rate={rate:g}, epsilon=1e-8, added before bias correction",
            "keras": f"keras.optimizers.Adam({rate:g}, epsilon=1e-8)",
            "torch": "p -= rate * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + 1e-8)"
            "  # not torch.optim.Adam",
        }
        forms: Dict[str, Any] = {
            "1e-7, Keras's default": (
                "Adam's epsilon is 1e-7; TensorFlow 1's is 1e-8",
                {"epsilon": 1e-7},
            ),
            "1e-7 after bias correction": (
                "Adam's epsilon is 1e-7, added after bias correction; TensorFlow 1 adds 1e-8 before it",
                {"epsilon_hat": False, "epsilon": 1e-7},
            ),
            "1e-6 before bias correction": (
                "Adam's epsilon is 1e-6; TensorFlow 1's is 1e-8",
                {"epsilon": 1e-6},
            ),
            "1e-6 after bias correction": (
                "Adam's epsilon is 1e-6, added after bias correction; TensorFlow 1 adds 1e-8 before it",
                {"epsilon_hat": False, "epsilon": 1e-6},
            ),
            "1e-8 after bias correction, PyTorch's": (
                "Adam's epsilon is added after bias correction; TensorFlow 1 adds it before (epsilon hat)",
                {"epsilon_hat": False},
            ),
        }
    else:
        fixes = {
            "any": f"Adam with learning_rate={rate:g}, epsilon=1e-8, added after bias correction",
            "keras": "v_hat = v / (1 - b2**t); p -= rate / (1 - b1**t) * m / (sqrt(v_hat) + 1e-8)",
            "torch": f"torch.optim.Adam(parameters, {rate:g})",
        }
        says = "Adam's epsilon is {}, added before bias correction (epsilon hat); PyTorch's is 1e-8, after it"
        forms = {
            "1e-8 before bias correction, TensorFlow 1's": (says.format("1e-8"), {"epsilon_hat": True}),
            "1e-7 before bias correction, Keras's default": (
                says.format("1e-7"),
                {"epsilon_hat": True, "epsilon": 1e-7},
            ),
        }
    for variant, (sentence, changes) in forms.items():
        yield Mistake("adam-epsilon", variant, sentence, fixes, _optimizer(**changes))


def _rmsprop(optimizer: RMSprop) -> Iterator[Mistake]:
    rate = optimizer.learning_rate
    fixes = {
        "any": "v = 0.9 * v + 0.1 * g**2; p -= rate * g / (sqrt(v) + 1e-7)  # v begins at 0",
        "keras": "tf1_lstm.parity.ports.keras_optimizers.PublishedRMSprop  # Keras 3: sqrt(v + epsilon)",
        "torch": f"torch.optim.RMSprop(parameters, {rate:g}, alpha=0.9, eps=1e-7)",
    }
    forms: Tuple[Tuple[str, str, str, Dict[str, Any]], ...] = (
        (
            "rmsprop-epsilon",
            "inside the root, Keras 3's",
            "RMSprop's epsilon is added inside the root; Keras up to 2.10 adds it to the root",
            {"inside_root": True},
        ),
        (
            "rmsprop-epsilon",
            "1e-8, PyTorch's default",
            "RMSprop's epsilon is 1e-8; Keras's is 1e-7",
            {"epsilon": 1e-8},
        ),
        (
            "rmsprop-decay",
            "0.99 and epsilon 1e-8, PyTorch's defaults",
            "RMSprop's decay is 0.99 and its epsilon 1e-8; Keras's are 0.9 and 1e-7",
            {"rho": 0.99, "epsilon": 1e-8},
        ),
        (
            "rmsprop-decay",
            "0.99, PyTorch's default",
            "RMSprop's decay is 0.99; Keras's is 0.9",
            {"rho": 0.99},
        ),
        (
            "rmsprop-first-value",
            "TensorFlow 1's RMSPropOptimizer",
            "the mean square begins at 1, with an epsilon of 1e-10 inside the root; Keras's begins at 0",
            {"first": 1.0, "epsilon": 1e-10, "inside_root": True},
        ),
    )
    for name, variant, says, changes in forms:
        yield Mistake(name, variant, says, fixes, _optimizer(**changes))


def _losses(problem: Problem) -> Iterator[Mistake]:
    fixes = {"any": "loss = cross_entropy.mean()", "torch": "nn.CrossEntropyLoss(reduction='mean')"}
    if problem.spec.output == "sigmoid":
        fixes["torch"] = "nn.BCEWithLogitsLoss(reduction='mean')"
    yield Mistake(
        "loss-summed",
        "",
        "the loss is summed over the batch; the original takes the mean",
        fixes,
        _spec(loss_sum=True),
    )
    if problem.labels.shape[1] == 2:
        yield Mistake(
            "labels-swapped",
            "",
            "each class is trained as the other",
            {"any": "the data set's class_names give the order of the classes"},
            _spec(labels_swapped=True),
        )


def _embedding() -> Iterator[Mistake]:
    yield Mistake(
        "embedding-frozen",
        "",
        "the embedding is not trained; the original trains it",
        {
            "any": "train the embedding",
            "keras": "keras.layers.Embedding(words, dimensions, trainable=True)",
            "torch": "nn.Embedding.from_pretrained(table, freeze=False)",
        },
        _spec(untrained="embedding"),
    )
    yield Mistake(
        "padding-row-frozen",
        "",
        "the embedding of the padding is not trained; the original trains it like any other row",
        {"any": "train row 0", "torch": "nn.Embedding(words, dimensions)  # no padding_idx"},
        _spec(untrained="padding"),
    )
