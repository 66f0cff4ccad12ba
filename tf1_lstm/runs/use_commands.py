"""The commands that use a checkpoint: ``evaluate``, ``test-batches`` and ``predict``."""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Tuple

from tf1_lstm.errors import InputError
from tf1_lstm.options import (
    add_checkpoint_option,
    add_data_options,
    add_device_options,
    add_setting_options,
    at_least,
    parse_settings,
)

# A text file above this size is no review; predict reads texts whole.
TEXT_LIMIT = 64 << 20


def add_parsers(subparsers: Any) -> None:
    """Add the three commands."""
    evaluate = _parser(subparsers, "evaluate", "accuracy of a checkpoint on a split, every example once")
    evaluate.add_argument(
        "--split", metavar="NAME", help="a split of the recipe's data, or all (default: the first one)"
    )
    evaluate.add_argument(
        "--dropout", choices=("off", "on", "both"), default="off", help="on: as published (default: off)"
    )
    evaluate.add_argument(
        "--draws", type=at_least(1), default=3, metavar="N", help="repetitions with dropout on (default: 3)"
    )
    evaluate.set_defaults(func=run_evaluate)

    batches = _parser(subparsers, "test-batches", "the document's last step: accuracies of test batches")
    batches.add_argument("--batches", type=at_least(1), default=10, metavar="N", help="default: 10")
    batches.add_argument(
        "--seed", type=at_least(0), default=1, metavar="N", help="of the sampler (default: 1)"
    )
    batches.add_argument(
        "--dropout", choices=("on", "off"), default="on", help="on: as published (the default)"
    )
    batches.set_defaults(func=run_test_batches)

    predict = _parser(subparsers, "predict", "label and probability of texts or pictures")
    source = predict.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", nargs="+", metavar="T", help="texts")
    source.add_argument(
        "--file", nargs="+", type=Path, metavar="F", help="files: texts, or .png and .npy images"
    )
    source.add_argument("--stdin", action="store_true", help="one text from standard input; also written -")
    predict.add_argument("--lines", action="store_true", help="every line of a file is a text of its own")
    predict.set_defaults(func=run_predict)


def _parser(subparsers: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=help_text)
    parser.add_argument("recipe", metavar="RECIPE")
    add_checkpoint_option(parser)
    add_data_options(parser)
    add_setting_options(parser)
    add_device_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


class Restored(NamedTuple):
    """A checkpoint in a graph, with its data set.

    Attributes:
      model: filled; close it.
      experiment: recipe with the settings in use, and data set.
      facts: what every report says: recipe, checkpoint, step, digest, sample, deviations.
    """

    model: Any
    experiment: Any
    facts: Dict[str, Any]


def restore(options: argparse.Namespace) -> Restored:
    """Open data and checkpoint of a command, with the settings of the run that it came from."""
    from tf1_lstm.runs.device import use_device

    device = use_device(options.device)
    from tf1_lstm.checkpoints.locate import locate
    from tf1_lstm.checkpoints.restore import load_weights
    from tf1_lstm.runs.model import Model
    from tf1_lstm.runs.resolve import resolve, settings_of_run

    record = settings_of_run(Path(options.checkpoint), options.recipe)
    sample = options.sample
    if record is not None and record.get("sample") and options.data is None:
        sample = True
    experiment = resolve(
        options.recipe,
        data=options.data,
        sample=sample,
        corrected=options.corrected,
        settings=parse_settings(options.settings),
        run_settings=record["settings"] if record else None,
    )
    constants = experiment.dataset.constants()
    model = Model(experiment.recipe, constants, threads=options.threads, device=device)
    weights = load_weights(options.checkpoint, model.expected())
    model.load(weights)
    located = locate(options.checkpoint)
    facts = {
        "recipe": experiment.recipe.name,
        "checkpoint": str(located.prefix),
        "chosen": located.how,
        "step": weights.step,
        "weights_sha256": weights.digest(),
        "sample": experiment.dataset.is_sample,
        "deviations": experiment.deviations,
    }
    return Restored(model, experiment, facts)


def print_facts(facts: Dict[str, Any]) -> None:
    """Say what was loaded, and how it differs from what was published."""
    if facts["sample"]:
        print("EMBEDDED SAMPLE: these figures say nothing about the published experiment")
    print(f"checkpoint      {facts['checkpoint']} ({facts['chosen']})")
    print(f"weights_sha256  {facts['weights_sha256']}")
    for name, (published, used) in facts["deviations"].items():
        print(f"setting         {name} = {used} (published: {published})")


def run_evaluate(options: argparse.Namespace) -> int:
    """Evaluate one split or all, with dropout off, on or both."""
    from tf1_lstm.runs.evaluate import evaluate

    restored = restore(options)
    dataset = restored.experiment.dataset
    names: Tuple[str, ...] = dataset.split_names()
    if options.split != "all":
        names = (options.split or names[0],)
    dropouts = {"off": (False,), "on": (True,), "both": (False, True)}[options.dropout]
    if restored.model.recipe.graph.training_keep_prob == 1:
        if options.dropout == "on":
            raise InputError(f"--dropout on: {options.recipe} has no dropout; expected off")
        dropouts = (False,)
    with restored.model as model:
        found = [
            evaluate(model, dataset.split(name), dropout, options.draws)
            for name in names
            for dropout in dropouts
        ]
    documents = [evaluation.document() for evaluation in found]
    if options.json:
        single = documents[0] if len(documents) == 1 else {"evaluations": documents}
        print(json.dumps({**restored.facts, **single}, indent=1, ensure_ascii=False))
        return 0
    print_facts(restored.facts)
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


def run_test_batches(options: argparse.Namespace) -> int:
    """Print the accuracies in the document's own form, beside the published ones."""
    from tf1_lstm.report.statistics import accuracy_interval, test_batches_record
    from tf1_lstm.runs.evaluate import sampled_accuracies

    restored = restore(options)
    recipe, dataset = restored.experiment.recipe, restored.experiment.dataset
    dropout = options.dropout == "on" and recipe.graph.training_keep_prob < 1
    with restored.model as model:
        accuracies = sampled_accuracies(model, dataset, options.batches, options.seed, dropout)
    size = recipe.schedule.batch_size
    measured = test_batches_record(accuracies, size, "on" if dropout else "off")
    published = next((figure for figure in recipe.figures if figure.parts), None)
    if options.json:
        document = {**restored.facts, "test_batches": measured, "sampler": recipe.schedule.sampler}
        if published:
            interval = list(accuracy_interval(published.value, published.examples))
            document["published"] = {
                "accuracies": published.parts,
                "mean": published.value,
                "interval": interval,
            }
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    print_facts(restored.facts)
    how = f"{recipe.schedule.sampler} sampler, dropout {measured['dropout']}"
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


def run_predict(options: argparse.Namespace) -> int:
    """Print label, probability and notes of each text or picture; 1 where one was refused."""
    from tf1_lstm.runs.predict import predict

    restored = restore(options)
    dataset = restored.experiment.dataset
    with restored.model as model:
        items, names = zip(*_items(options, dataset.example_kind))
        documents = predict(model, dataset, dataset.encode(list(items), list(names)))
    if options.json:
        print(json.dumps({**restored.facts, "predictions": documents}, indent=1, ensure_ascii=False))
    else:
        print_facts(restored.facts)
        for document in documents:
            print(_prediction_line(document))
    return 1 if any("refused" in document for document in documents) else 0


def _items(options: argparse.Namespace, kind: str) -> Iterator[Tuple[Any, str]]:
    """Yield (item, name) pairs for ``Dataset.encode``."""
    if kind == "image":
        if options.file is None:
            raise InputError(f"{options.recipe} reads pictures; expected --file with .png or .npy files")
        yield from ((path, str(path)) for path in options.file)
        return
    if options.text is not None:
        yield from ((text, _beginning(text)) for text in options.text)
        return
    for path in options.file or [Path("-")]:
        content, name = _read(path)
        if not options.lines:
            yield content, name
            continue
        for number, line in enumerate(content.splitlines() or [b""], 1):
            yield line, f"{name}:{number}"


def _read(path: Path) -> Tuple[bytes, str]:
    """Content and name of a file, or of standard input for ``-``."""
    name = "standard input" if str(path) == "-" else str(path)
    try:
        with open(0 if str(path) == "-" else path, "rb", closefd=str(path) != "-") as stream:
            content = stream.read(TEXT_LIMIT + 1)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}); expected a text file") from error
    if len(content) > TEXT_LIMIT:
        raise InputError(f"{name}: more than {TEXT_LIMIT:,} bytes found, expected a text of at most that")
    return content, name


def _beginning(text: str) -> str:
    line = " ".join(text[:200].split())
    return line if len(line) <= 40 else line[:39] + "…"


def _prediction_line(document: Dict[str, Any]) -> str:
    if "refused" in document:
        return f"{document['name']}: no answer: {document['refused']}"
    notes = []
    for name, value in document["notes"].items():
        if value not in (False, 0, [], None, ""):
            shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
            notes.append(name.replace("_", " ") + ("" if value is True else f" {shown}"))
    return f"{document['name']}: {document['label']} {document['probability']:.4f} ({'; '.join(notes)})"
