"""The command ``evaluate``: accuracy of a checkpoint on a split."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Tuple

from tf1_lstm.commands.options import add_json_option, add_many_options, at_least, many_paths
from tf1_lstm.commands.printing import answer_and_count
from tf1_lstm.commands.restoring import (
    add_restoring_options,
    print_facts,
    restored,
    restoring_arguments,
)
from tf1_lstm.errors import InputError

if TYPE_CHECKING:
    from tf1_lstm.runs.evaluate import AnyEvaluation
    from tf1_lstm.runs.restore import Restored

EXAMPLES = """\
examples:
  tf1-lstm evaluate imdb-lstm --checkpoint checkpoints/sample --sample
  tf1-lstm evaluate mnist-lstm --checkpoint model.ckpt-1000 --split all --dropout both"""


def add_parser(subparsers: Any) -> None:
    """Add ``evaluate``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="accuracy of a checkpoint on a split, every example once",
        description="Accuracy of a checkpoint on a split, every example once; of many checkpoints in one "
        "graph and one session, as JSON lines. Example: `tf1-lstm evaluate mnist-rnn --list paths.txt "
        "--shard 3/16 --out part3.jsonl`.",
    )
    add_restoring_options(parser, many=True)
    add_json_option(parser)
    add_many_options(parser, "checkpoints")
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
    paths = many_paths(options, options.checkpoint)
    if paths is not None:
        return _evaluate_many(options, paths)
    options.checkpoint = options.checkpoint[0]
    opened = restored(options)
    with opened.model:
        found = _evaluations(opened, options, progress=True)
    if options.json:
        print(json.dumps(_document(opened, found), indent=1, ensure_ascii=False))
        return 0
    print_facts(opened.facts)
    for evaluation in found:
        print_evaluation(evaluation, opened.experiment.dataset.class_names)
    return 0


def _evaluate_many(options: argparse.Namespace, paths: Sequence[str]) -> int:
    from tf1_lstm.runs.restore_many import ManyCheckpoints

    question = {name: getattr(options, name) for name in ("recipe", "split", "dropout", "draws", "sample")}
    question.update(settings=sorted(options.settings), corrected=options.corrected)
    with ManyCheckpoints(options.recipe, **restoring_arguments(options)) as many:

        def answer(path: str) -> Dict[str, Any]:
            opened = many.restore(path)
            return _document(opened, _evaluations(opened, options, progress=False))

        return answer_and_count(paths, options.out, question, answer)


def _evaluations(opened: "Restored", options: argparse.Namespace, progress: bool) -> "List[AnyEvaluation]":
    from tf1_lstm.runs.evaluate import evaluate

    dataset = opened.experiment.dataset
    names: Tuple[str, ...] = dataset.split_names()
    if options.split != "all":
        names = (options.split or names[0],)
    dropouts = {"off": (False,), "on": (True,), "both": (False, True)}[options.dropout]
    if opened.model.recipe.keep_prob == 1:
        if options.dropout == "on":
            raise InputError(f"--dropout on: {options.recipe} has no dropout; expected off")
        dropouts = (False,)
    return [
        evaluate(opened.model, dataset.split(name), dropout, options.draws, progress)
        for name in names
        for dropout in dropouts
    ]


def _document(opened: "Restored", found: "Sequence[AnyEvaluation]") -> Dict[str, Any]:
    documents = [evaluation.document() for evaluation in found]
    single = documents[0] if len(documents) == 1 else {"evaluations": documents}
    return {**opened.facts, **single}


def print_evaluation(evaluation: Any, class_names: Tuple[str, ...]) -> None:
    """Print one evaluation with its interval and, of classes, its confusion matrix."""
    from tf1_lstm.core.text_table import fitted, text_table

    def say(sentence: str) -> None:
        print(fitted(sentence))

    def within(form: str) -> str:
        ends = evaluation.interval
        return "" if ends is None else f" (95 % interval {ends[0]:{form}} to {ends[1]:{form}})"

    what = f"with dropout {evaluation.dropout}, {evaluation.examples:,} examples"
    if hasattr(evaluation, "mean_absolute_error"):
        say(
            f"{evaluation.split}: mean absolute error {evaluation.mean_absolute_error:.6g}{within('.6g')}, "
            f"root mean squared error {evaluation.root_mean_squared_error:.6g} {what}"
        )
        return
    if hasattr(evaluation, "perplexity"):
        say(
            f"{evaluation.split}: perplexity {evaluation.perplexity:.4f}, loss {evaluation.loss:.5f} a step"
            f"{within('.5f')}, accuracy {evaluation.accuracy:.3%} of {evaluation.steps:,} steps {what}"
        )
        return
    low, high = evaluation.interval
    spread = f" ± {evaluation.std:.3%} over {evaluation.draws} draws" if evaluation.std is not None else ""
    say(
        f"{evaluation.split}: accuracy {evaluation.accuracy:.3%}{spread} with dropout {evaluation.dropout}, "
        f"{evaluation.examples:,} examples, 95 % interval {low:.2%} to {high:.2%}, loss {evaluation.loss:.5f}"
    )
    rows = [[name, *map(str, row)] for name, row in zip(class_names, evaluation.confusion)]
    print(text_table(["true \\ predicted", *class_names], rows))
