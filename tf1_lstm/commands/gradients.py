"""The command ``gradients``: how they shrink over the steps of a model."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.commands.options import add_json_option, at_least
from tf1_lstm.commands.restoring import add_restoring_options, restoring_arguments

EXAMPLES = """\
examples:
  tf1-lstm gradients mnist-rnn --checkpoint runs/rnn --beside mnist-lstm runs/lstm --out gradients.png"""


def add_parser(subparsers: Any) -> None:
    """Add ``gradients``."""
    parser = subparsers.add_parser(
        "gradients",
        help="how the gradients of loss and last state shrink over the steps",
        description="Measure, for a checkpoint and the first examples of a split, the norms of the loss's and "
        "of the last state's derivative by the state of each step, and of an LSTM what its cell carries from "
        "step to step, for every layer and direction. Dropout is off.",
    )
    add_restoring_options(parser)
    parser.add_argument(
        "--beside",
        nargs=2,
        action="append",
        default=[],
        metavar=("RECIPE", "CHECKPOINT"),
        help="another model on the same data, in the same picture; may be repeated",
    )
    parser.add_argument("--split", metavar="NAME", help="of the recipe's data (default: the first one)")
    parser.add_argument("--examples", type=at_least(1), default=24, metavar="N", help="default: 24")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the picture there (PNG)")
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Measure every model, print the figures and draw them."""
    from tf1_lstm.core.text_table import text_table

    found = [
        one
        for recipe, checkpoint in [(options.recipe, options.checkpoint), *options.beside]
        for one in _measured(recipe, checkpoint, options)
    ]
    if options.out is not None:
        from tf1_lstm.report.gradients_picture import gradients_picture

        gradients_picture(found, options.out, any(one["sample"] for one in found))
        print(options.out, file=sys.stderr)
    if options.json:
        print(json.dumps(found, indent=1, allow_nan=False))
        return 0
    for one in found:
        print(f"{one['name']}, {one['examples']} examples of {one['split']}, {one['steps']} steps")
        print(
            text_table(("step", "dloss/dh_t", "dh_T/dh_t", "dc_t/dc_(t-1)"), _rows(one), right=(0, 1, 2, 3))
        )
        print()
    return 0


def _rows(one: Dict[str, Any]) -> List[List[str]]:
    """At most eleven of the steps, the first and the last among them."""
    steps = one["steps"]
    places = sorted({round(number * (steps - 1) / 10) for number in range(11)})
    carry = one["carry"] or [None] * steps
    return [
        [
            str(place + 1),
            f"{one['loss_by_state'][place]:.3e}",
            f"{one['last_state_by_state'][place]:.3e}",
            "-" if carry[place] is None else f"{carry[place]:.4f}",
        ]
        for place in places
    ]


def _measured(recipe: str, checkpoint: str, options: argparse.Namespace) -> List[Dict[str, Any]]:
    from tf1_lstm.runs.gradients import check_supported, documents_of, gradient_norms
    from tf1_lstm.runs.restore import restore

    opened = restore(recipe, checkpoint, **restoring_arguments(options))
    with opened.model as model:
        check_supported(opened.experiment.recipe)
        weights = model.weights().arrays
    dataset = opened.experiment.dataset
    split = dataset.split(options.split or dataset.split_names()[0])
    inputs, labels = split.inputs[: options.examples], split.labels[: options.examples]
    norms = gradient_norms(opened.experiment.recipe, weights, inputs, labels, dataset.constants())
    facts = {
        "checkpoint": opened.facts["checkpoint"],
        "weights_sha256": opened.facts["weights_sha256"],
        "split": split.name,
        "examples": len(labels),
        "sample": dataset.is_sample,
    }
    return [{**one, **facts} for one in documents_of(recipe, norms)]
