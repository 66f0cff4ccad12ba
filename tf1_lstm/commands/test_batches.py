"""The command ``test-batches``: the document's last step, accuracies of test batches."""

import argparse
import json
from typing import Any

from tf1_lstm.commands.options import add_json_option, at_least
from tf1_lstm.commands.restoring import add_restoring_options, print_facts, restored

EXAMPLES = """\
examples:
  tf1-lstm test-batches imdb-lstm --checkpoint checkpoints/sample --sample
  tf1-lstm test-batches imdb-lstm --checkpoint models --batches 100 --dropout off"""


def add_parser(subparsers: Any) -> None:
    """Add ``test-batches``."""
    parser = subparsers.add_parser(
        "test-batches", help="the document's last step: accuracies of test batches"
    )
    add_restoring_options(parser)
    add_json_option(parser)
    parser.add_argument("--batches", type=at_least(1), default=10, metavar="N", help="default: 10")
    parser.add_argument(
        "--seed", type=at_least(0), default=1, metavar="N", help="of the sampler (default: 1)"
    )
    parser.add_argument(
        "--dropout", choices=("on", "off"), default="on", help="on: as published (the default)"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the accuracies in the document's own form, beside the published ones."""
    from tf1_lstm.report.statistics import accuracy_interval, test_batches_record
    from tf1_lstm.runs.evaluate import sampled_accuracies

    opened = restored(options)
    recipe, dataset = opened.experiment.recipe, opened.experiment.dataset
    dropout = options.dropout == "on" and recipe.keep_prob < 1
    with opened.model as model:
        accuracies = sampled_accuracies(model, dataset, options.batches, options.seed, dropout)
    size = opened.experiment.batch_size
    measured = test_batches_record(accuracies, size, "on" if dropout else "off")
    published = next((figure for figure in recipe.published.figures if figure.parts), None)
    if options.json:
        document = {**opened.facts, "test_batches": measured, "sampler": opened.experiment.sampler}
        if published:
            interval = list(accuracy_interval(published.value, published.examples))
            document["published"] = {
                "accuracies": published.parts,
                "mean": published.value,
                "interval": interval,
            }
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    print_facts(opened.facts)
    how = f"{opened.experiment.sampler} sampler, dropout {measured['dropout']}"
    print(f"batches         {size} examples each, {how}")
    parts = published.parts if published else ()
    for number, accuracy in enumerate(accuracies):
        beside = f"   (published: {as_published(parts[number])})" if number < len(parts) else ""
        print(f"Accuracy for this batch: {as_published(accuracy)}{beside}")
    _print_mean("measured", measured["mean"], measured["interval"], size * len(accuracies))
    if published:
        allowed = accuracy_interval(published.value, published.examples)
        _print_mean("published", published.value, allowed, published.examples)
    return 0


def as_published(accuracy: float) -> str:
    """A percentage as the document prints it: float32 times 100, twelve significant digits.

    >>> as_published(22 / 24)
    '91.6666686535'
    """
    import numpy as np

    text = f"{float(np.float32(accuracy)) * 100:.12g}"
    return text if "." in text else text + ".0"


def _print_mean(name: str, mean: float, interval: Any, examples: int) -> None:
    low, high = interval
    print(f"{name:<10} mean {mean:.2%} of {examples} draws, 95 % interval {low:.2%} to {high:.2%}")
