"""The command ``evaluate``: accuracy of a checkpoint on a split."""

import argparse
import json
from typing import Any, Tuple

from tf1_lstm.commands.options import add_json_option, at_least
from tf1_lstm.commands.restoring import add_restoring_options, print_facts, restored
from tf1_lstm.errors import InputError


def add_parser(subparsers: Any) -> None:
    """Add ``evaluate``."""
    parser = subparsers.add_parser("evaluate", help="accuracy of a checkpoint on a split, every example once")
    add_restoring_options(parser)
    add_json_option(parser)
    parser.add_argument(
        "--split", metavar="NAME", help="a split of the recipe's data, or all (default: the first one)"
    )
    parser.add_argument(
        "--dropout", choices=("off", "on", "both"), default="off", help="on: as published (default: off)"
    )
    parser.add_argument(
        "--draws", type=at_least(1), default=3, metavar="N", help="repetitions with dropout on (default: 3)"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate one split or all, with dropout off, on or both."""
    from tf1_lstm.runs.evaluate import evaluate

    opened = restored(options)
    dataset = opened.experiment.dataset
    names: Tuple[str, ...] = dataset.split_names()
    if options.split != "all":
        names = (options.split or names[0],)
    dropouts = {"off": (False,), "on": (True,), "both": (False, True)}[options.dropout]
    if opened.model.recipe.graph.training_keep_prob == 1:
        if options.dropout == "on":
            raise InputError(f"--dropout on: {options.recipe} has no dropout; expected off")
        dropouts = (False,)
    with opened.model as model:
        found = [
            evaluate(model, dataset.split(name), dropout, options.draws)
            for name in names
            for dropout in dropouts
        ]
    documents = [evaluation.document() for evaluation in found]
    if options.json:
        single = documents[0] if len(documents) == 1 else {"evaluations": documents}
        print(json.dumps({**opened.facts, **single}, indent=1, ensure_ascii=False))
        return 0
    print_facts(opened.facts)
    for evaluation in found:
        print_evaluation(evaluation, dataset.class_names)
    return 0


def print_evaluation(evaluation: Any, class_names: Tuple[str, ...]) -> None:
    """Print one evaluation with its interval and confusion matrix."""
    from tf1_lstm.report.tables import text_table

    low, high = evaluation.interval
    spread = f" ± {evaluation.std:.3%} over {evaluation.draws} draws" if evaluation.std is not None else ""
    print(
        f"{evaluation.split}: accuracy {evaluation.accuracy:.3%}{spread} with dropout {evaluation.dropout}, "
        f"{evaluation.examples:,} examples, 95 % interval {low:.2%} to {high:.2%}, loss {evaluation.loss:.5f}"
    )
    rows = [[name, *map(str, row)] for name, row in zip(class_names, evaluation.confusion)]
    print(text_table(["true \\ predicted", *class_names], rows))
