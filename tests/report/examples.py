"""Made-up but realistic results for the report tests."""

import numpy as np

from tf1_lstm.core.cells import BasicLSTM
from tf1_lstm.recipes.data_parts import TutorialImdb
from tf1_lstm.recipes.experiment import (
    Adam,
    Experiment,
    FrozenVectors,
    Recurrent,
    Softmax,
    Steps,
    TensorFlow1,
)
from tf1_lstm.recipes.published import Figure, LogLine, Published
from tf1_lstm.report.logs import epochs_part
from tf1_lstm.report.results import build_published
from tf1_lstm.report.statistics import accuracy_interval, test_batches_record

# Seed 001's ten test batches: right answers of 24 each.
PUBLISHED_RIGHT = (22, 19, 21, 21, 22, 18, 22, 17, 20, 23)
MEASURED_RIGHT = (20, 19, 21, 15, 22, 18, 22, 20, 19, 23)


def imdb_recipe():
    """The IMDB recipe's shape, with its published test batches as the one figure."""
    parts = tuple(right / 24 for right in PUBLISHED_RIGHT)
    figure = Figure(
        "mean of ten test batches",
        sum(parts) / 10,
        240,
        "tutorial-test",
        True,
        "seed 001, section 6",
        parts,
    )
    return Experiment(
        TutorialImdb(250),
        FrozenVectors(),
        Recurrent(BasicLSTM(64), read="output"),
        Softmax(2),
        Adam(),
        Steps(50000, batch_size=24),
        TensorFlow1("truncated_normal"),
        name="imdb-lstm",
        title="IMDB reviews, one LSTM",
        published=Published("seed 001", (figure,), (LogLine(1001, 0.63, 0.5), LogLine(2001, 0.72, 0.625))),
    )


def training_log(iterations=50000, every=1000, batch_size=24, seed=0):
    """A log like the tutorial's: flat for a tenth of the way, then learning, noisy batches."""
    random = np.random.RandomState(seed)
    log = []
    for iteration in range(every, iterations + 1, every):
        learned = 1 / (1 + np.exp(-(iteration / iterations * 10 - 1.7)))
        rate = 0.5 + 0.48 * learned
        accuracy = random.binomial(batch_size, rate) / batch_size
        loss = max(0.01, 0.69 - 0.64 * learned + random.normal(0, 0.08))
        log.append({"iteration": iteration, "loss": float(loss), "accuracy": accuracy})
    return log


def evaluation(split, dropout, matrix, step=50000, std=None):
    """One entry of ``evaluations`` from its confusion matrix."""
    matrix = np.asarray(matrix)
    examples = int(matrix.sum())
    accuracy = float(np.trace(matrix)) / examples
    return {
        "split": split,
        "examples": examples,
        "dropout": dropout,
        "accuracy": accuracy,
        "std": std,
        "draws": 1 if std is None else 10,
        "interval": list(accuracy_interval(accuracy, examples)),
        "loss": 0.61,
        "confusion": matrix.tolist(),
        "checkpoint_step": step,
    }


def make_results(seed=1, sample=False, **changes):
    """A results document with every part filled."""
    recipe = imdb_recipe()
    evaluations = [
        evaluation("tutorial-test", "off", [[842, 159], [163, 837]]),
        evaluation("tutorial-test", "on", [[835, 166], [171, 829]], std=0.004),
        evaluation("official-test", "off", [[10240, 2260], [2140, 10360]]),
        evaluation("official-test", "on", [[10180, 2320], [2210, 10290]], std=0.0011),
        evaluation("train", "off", [[12300, 200], [190, 12310]]),
        evaluation("tutorial-test", "off", [[800, 201], [163, 837]], step=10000),
    ]
    batches = test_batches_record([k / 24 for k in MEASURED_RIGHT], 24, "on")
    results = {
        "format": 1,
        "recipe": recipe.name,
        "settings": recipe.settings(),
        "deviations": {},
        "seed": seed,
        "exact": True,
        "sample": sample,
        "iterations": 50000,
        "data": {"idsMatrix.npy": "ab" * 32},
        "weights_sha256": f"{seed:02x}" * 32,
        "checkpoint": "checkpoints/imdb-lstm-50000",
        "environment": {"cpu": "Some CPU @ 2.5 GHz", "cores": 2, "tensorflow": "1.15.0", "python": "3.7.16"},
        "seconds": {"train": 2384.0, "evaluate": 130.0, "total": 2519.0},
        "ms_per_iteration": 47.7,
        "command": f"tf1-lstm reproduce imdb-lstm --seed {seed}",
        "log": training_log(seed=seed),
        "evaluations": evaluations,
        "test_batches": batches,
        "published": build_published(recipe, evaluations, batches, sample),
        "pictures": {},
    }
    results.update(changes)
    return results


def published_log(points=49):
    """Log lines as a recipe holds them, at 1001, 2001, ..."""
    log = training_log(points * 1000, 1000, seed=7)
    return [LogLine(entry["iteration"] + 1, entry["loss"], entry["accuracy"]) for entry in log]


# What three epochs gave: training loss and accuracy, validation loss and accuracy. The second is best.
EPOCHS = ((0.6, 0.66, 0.5, 0.78), (0.4, 0.82, 0.35, 0.86), (0.3, 0.88, 0.45, 0.84))


def epoch_log(rows=EPOCHS, steps=157):
    """A run's log of epochs."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return [
        {"iteration": steps * epoch, "epoch": epoch, **dict(zip(names, row))}
        for epoch, row in enumerate(rows, 1)
    ]


def published_epochs(rows=EPOCHS, steps=195):
    """A published log of epochs, which had other batches than the run."""
    return [
        LogLine(steps * epoch, loss, accuracy, val_loss, val_accuracy, epoch)
        for epoch, (loss, accuracy, val_loss, val_accuracy) in enumerate(rows, 1)
    ]


def epoch_results(seed=1, rows=EPOCHS, recipe="imdb-lstm32", **changes):
    """A run of a recipe of epochs; its validation accuracies are those of ``rows``."""
    log = epoch_log(rows)
    right = round(rows[-1][3] * 5000)
    evaluations = [
        evaluation("validation", "off", [[right, 5000 - right], [0, 0]], step=log[-1]["iteration"]),
        evaluation("test", "off", [[10000, 2500], [2000, 10500]], step=log[-1]["iteration"]),
    ]
    settings = {"validation": "validation", "epochs": len(rows), "log_batch": "epoch"}
    made = {
        "recipe": recipe,
        "settings": settings,
        "iterations": log[-1]["iteration"],
        "log": log,
        "epochs": epochs_part(
            log, published_epochs(((0.5, 0.7, 0.4, 0.8), (0.3, 0.9, 0.3, 0.9))), "validation"
        ),
        "evaluations": evaluations,
        "published": [],
        "test_batches": None,
    }
    return make_results(seed=seed, **{**made, **changes})


def port_results(seed=1, rows=EPOCHS, recipe="imdb-lstm32", **changes):
    """What ``tf1_lstm.parity.ports.train`` writes."""
    document = {
        "format": 1,
        "recipe": recipe,
        "framework": {"keras": "3.15.1", "tensorflow": "2.21.0"},
        "settings": {"validation": "validation", "epochs": len(rows)},
        "deviations": {},
        "seed": seed,
        "sample": False,
        "data": {},
        "threads": 2,
        "cpu": "Some CPU @ 2.5 GHz",
        "command": f"python -m tf1_lstm.parity.ports.train {recipe} --seed {seed}",
        "epochs": len(rows),
        "log": epoch_log(rows),
        "evaluations": [
            {"split": "validation", "examples": 5000, "accuracy": rows[-1][3], "loss": 0.4},
            {"split": "test", "examples": 25000, "accuracy": 0.83, "loss": 0.4},
        ],
        "ms_per_iteration": 60.0,
        "seconds": 95.0,
    }
    document.update(changes)
    return document


def ten_classes(examples=10000, seed=3):
    """A confusion matrix ``[10, 10]`` with a few mistakes in every class."""
    random = np.random.RandomState(seed)
    matrix = np.zeros((10, 10), dtype=np.int64)
    for k in range(10):
        shares = random.dirichlet(np.full(10, 0.1)) * 0.04
        shares[k] += 0.96
        matrix[k] = random.multinomial(examples // 10, shares / shares.sum())
    return matrix
