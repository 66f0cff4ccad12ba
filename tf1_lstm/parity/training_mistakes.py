"""Mistakes that show in loss, gradients or the optimizer's steps only."""

from typing import Any, Dict, Iterator, Tuple

from tf1_lstm.parity.mistake import Change, Mistake
from tf1_lstm.parity.optimizers import Adam, RMSprop
from tf1_lstm.parity.problem import Problem


def entries(problem: Problem) -> Iterator[Mistake]:
    """Yield every mistake of training that this model allows."""
    spec = problem.spec
    if isinstance(spec.optimizer, RMSprop):
        yield from _rmsprop(spec.optimizer)
    elif isinstance(spec.optimizer, Adam):
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


def _adam(adam: Adam) -> Iterator[Mistake]:
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
