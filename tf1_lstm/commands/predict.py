"""The command ``predict``: what a checkpoint answers to texts, pictures or arrays."""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

from tf1_lstm.commands.options import add_json_option
from tf1_lstm.commands.restoring import add_restoring_options, print_facts, restored
from tf1_lstm.errors import InputError

# A text file above this size is no review; predict reads texts whole.
TEXT_LIMIT = 64 << 20


EXAMPLES = """\
examples:
  tf1-lstm predict imdb-lstm --checkpoint checkpoints/sample --sample --text "a fine film"
  tf1-lstm predict imdb-lstm --checkpoint models --file reviews.txt --lines --out found.csv
  tf1-lstm predict mnist-lstm --checkpoint models --file three.png"""


def add_parser(subparsers: Any) -> None:
    """Add ``predict``."""
    parser = subparsers.add_parser(
        "predict", help="label and probability of texts, pictures or arrays, or the numbers foretold"
    )
    add_restoring_options(parser)
    add_json_option(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", nargs="+", metavar="T", help="texts")
    source.add_argument(
        "--file",
        nargs="+",
        type=Path,
        metavar="F",
        help="files: texts, .png and .npy images, or of your own data .npy, .npz and .csv",
    )
    source.add_argument("--stdin", action="store_true", help="one text from standard input; also written -")
    parser.add_argument("--lines", action="store_true", help="every line of a file is a text of its own")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write texts, labels, probabilities and ids there as well: .csv or .npz",
    )
    parser.add_argument(
        "--lengths",
        type=Path,
        metavar="FILE.npy",
        help="for whole batches (--file x.npy --out y.npz): the steps of each example that count (default: all)",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print the answer to each text, picture or array, and notes; 1 where one was refused."""
    from tf1_lstm.core.text_table import fitted
    from tf1_lstm.files import read_npy
    from tf1_lstm.runs.predict import predict
    from tf1_lstm.runs.predictions import check_suffix, write_predictions

    if options.out is not None:
        check_suffix(options.out)
    lengths = read_npy(options.lengths, "lengths") if options.lengths else None
    opened = restored(options)
    dataset = opened.experiment.dataset
    with opened.model as model:
        batches = _batches(options, 0 if dataset.name == "none" else len(model.graph.inputs.shape))
        if batches:
            return _write_outputs(options, opened, batches, lengths)
        if lengths is not None:
            raise InputError("--lengths: found it without --file x.npy --out y.npz of a whole batch")
        items, names = zip(*_items(options, dataset.example_kind))
        examples = dataset.encode(list(items), list(names))
        documents = predict(model, dataset, examples)
    if options.out is not None:
        write_predictions(options.out, items, examples, documents)
    if options.json:
        print(json.dumps({**opened.facts, "predictions": documents}, indent=1, ensure_ascii=False))
    else:
        print_facts(opened.facts)
        for document in documents:
            print(fitted(_prediction_line(document)))
        if options.out is not None:
            print(f"written         {options.out} ({len(documents):,} rows)")
    return 1 if any("refused" in document for document in documents) else 0


def _batches(options: argparse.Namespace, dimensions: int) -> Dict[str, Any]:
    """File -> array, where whole batches are given and wanted: ``--file x.npy --out y.npz``.

    A batch has as many dimensions as the graph's inputs (0: without a data set, every array is one).
    """
    from tf1_lstm.files import read_npy

    files = options.file or []
    if options.out is None or options.out.suffix != ".npz" or any(path.suffix != ".npy" for path in files):
        return {}
    found = {str(path): read_npy(path, "a batch of inputs") for path in files}
    return found if all(array.ndim == dimensions or not dimensions for array in found.values()) else {}


def _write_outputs(options: argparse.Namespace, opened: Any, batches: Dict[str, Any], lengths: Any) -> int:
    """Run the model over batches as they are, and write ``outputs``: logits (of a sigmoid one), or numbers."""
    import numpy as np

    from tf1_lstm.original.answers import write_arrays
    from tf1_lstm.recipes.experiment import Sigmoid
    from tf1_lstm.runs.arrays import outputs_of

    if lengths is not None and len(batches) > 1:
        raise InputError(f"--lengths: found {len(batches)} files of inputs, expected one")
    outputs = np.concatenate(
        [outputs_of(opened.model, array, name, lengths) for name, array in batches.items()]
    )
    if isinstance(opened.experiment.recipe.head, Sigmoid):
        outputs = outputs[..., 1:]  # the graph's (0, z), whose softmax is the sigmoid of z
    write_arrays(options.out, {"outputs": outputs})
    if options.json:
        facts = dict(opened.facts, out=str(options.out), shape=list(outputs.shape))
        print(json.dumps(facts, indent=1))
    else:
        print_facts(opened.facts)
        print(f"written         {options.out} (outputs {list(outputs.shape)})")
    return 0


def _items(options: argparse.Namespace, kind: str) -> Iterator[Tuple[Any, str]]:
    """Yield (item, name) pairs for ``Dataset.encode``."""
    if kind != "text":
        if options.file is None:
            reads = {"image": "pictures; expected --file with .png or .npy files"}
            other = "arrays or tables; expected --file with .npy, .npz or .csv files"
            raise InputError(f"{options.recipe} reads {reads.get(kind, other)}")
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
    found = f"{document['name']}: {_answer(document)}"
    return f"{found} ({'; '.join(notes)})" if notes else found


def _answer(document: Dict[str, Any]) -> str:
    if "numbers" in document:
        found = document["numbers"].items()
        return ", ".join(f"{name} {_numbers(value)}" for name, value in found)
    if "labels" in document:
        return " ".join(document["labels"])
    label = document["label"]
    return f"{label if label.strip() and label.isprintable() else repr(label)} {document['probability']:.4f}"


def _numbers(value: Any) -> str:
    """A number, or those of all steps."""
    return " ".join(f"{each:.6g}" for each in (value if isinstance(value, list) else [value]))
