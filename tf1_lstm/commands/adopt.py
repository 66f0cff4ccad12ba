"""The command ``adopt``: an experiment from a checkpoint."""

import argparse
import json
from pathlib import Path
from typing import Any, Dict

from tf1_lstm.commands.options import CHECKPOINT_PATH_HELP, add_json_option
from tf1_lstm.commands.printing import say
from tf1_lstm.errors import InputError

EXAMPLES = """\
examples:
  tf1-lstm adopt models/stocks --out stocks.py --check    from its .meta graph, and held against it
  tf1-lstm adopt models/old --out old.py --answer forget_bias=0.0 --answer read=output
  tf1-lstm predict stocks.py --checkpoint models/stocks --file x.npy --out y.npz
  tf1-lstm export stocks.py --checkpoint models/stocks --to torch --out stocks.safetensors --code stocks_torch.py

What the checkpoint's variables and its own graph say is filled in. Without a graph, what no checkpoint holds
is filled with the commonest value and marked in the file; where two readings fit, --answer must say which.
answers: output, layers, forget_bias, activation, read, head, front, front_activation, steps,
inputs"""


def add_parser(subparsers: Any) -> None:
    """Add ``adopt``."""
    parser = subparsers.add_parser(
        "adopt",
        help="write an experiment, as a Python file, from any checkpoint of a recurrent model",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    parser.add_argument("path", metavar="CHECKPOINT", help=CHECKPOINT_PATH_HELP)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.py", help="the file to write")
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what neither checkpoint nor graph says; may be repeated",
    )
    parser.add_argument("--meta", metavar="FILE", help="the graph, where it is not the .meta beside it")
    parser.add_argument(
        "--without-graph", action="store_true", help="go by names and shapes, even where there is a graph"
    )
    parser.add_argument(
        "--check", action="store_true", help="feed the graph and the experiment one batch, and compare"
    )
    parser.add_argument(
        "--feed",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="for --check: a placeholder's value, as for graph; what is not given is drawn",
    )
    parser.add_argument("--force", action="store_true", help="overwrite FILE.py")
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Write the experiment; 1 where it was checked and differs."""
    import numpy as np

    from tf1_lstm.checkpoints.reading import read_checkpoint
    from tf1_lstm.files import replacing
    from tf1_lstm.original.adopt import VECTORS, adopt
    from tf1_lstm.original.model import described
    from tf1_lstm.original.source import has_graph, open_graph, reading

    answers = _answers(options.answer)
    if options.out.suffix != ".py":
        raise InputError(f"--out: found {options.out}, expected a name that ends in .py")
    if options.out.exists() and not options.force:
        raise InputError(f"{options.out}: exists already, expected a free name (--force overwrites it)")
    checkpoint = read_checkpoint(options.path, needs_data=options.check)
    original = said = None
    if options.meta or (has_graph(checkpoint.prefix) and not options.without_graph):
        original = open_graph(options.path, options.meta)
        with reading(original.file):
            said = described(original, answers.get("output", ""))
    if options.check and original is None:
        raise InputError(f"--check: found no graph beside {checkpoint.prefix}, expected one to compare with")
    adopted = adopt(checkpoint, said, answers, options.out.stem)
    checked = _check(options, original, said, adopted.experiment) if options.check else None
    if said is not None and said.vectors is not None:
        vectors = options.out.with_name(VECTORS.format(options.out.stem))
        with replacing(vectors) as stream:
            np.save(stream, said.vectors, allow_pickle=False)
    with replacing(options.out, "w") as stream:
        stream.write(adopted.source)
    document: Dict[str, Any] = {
        "checkpoint": checkpoint.prefix,
        "graph": original.file if original else None,
        "out": str(options.out),
        "settings": adopted.experiment.settings(),
        "variables": dict(adopted.experiment.variables),
        "open": adopted.open,
        "check": checked._asdict() if checked else None,
    }
    if options.json:
        print(json.dumps(document, indent=1, default=str))
    else:
        _print(document, adopted.notes)
    return 1 if checked and not checked.agree else 0


def _answers(pairs: Any) -> Dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise InputError(f"--answer: found {pair!r}, expected NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def _check(options: argparse.Namespace, original: Any, said: Any, experiment: Any) -> Any:
    from tf1_lstm.original.feeds import parse_feeds
    from tf1_lstm.runs.adopted import check

    feeds = parse_feeds(options.feed, original.graph, original.file)
    return check(original, said, experiment, feeds)


def _print(document: Dict[str, Any], notes: Dict[str, str]) -> None:
    say(f"adopted     {document['checkpoint']}")
    say(f"graph       {document['graph'] or 'none: names and shapes alone'}")
    for path, values in document["open"].items():
        say(f"open        {path}: {values[0]} was taken; it may be {' or '.join(map(str, values[1:]))}")
    if document["check"]:
        for what, value in document["check"]["differences"].items():
            shown = "could not be compared" if value is None else f"differ by at most {value:.1e}"
            say(f"check       {what}: {shown}")
        for other in document["check"]["alternatives"]:
            say("check       would agree: " + ", ".join(f"{path} = {value}" for path, value in other.items()))
        check = document["check"]
        close = check["differences"]["outputs"] <= 1e-6
        if check["times"] != 1.0:
            say(f"check       the graph's loss and gradients are {check['times']:.6g} times the experiment's")
        if check["note"]:
            say(f"check       the graph {check['note']}")
        verdict = "the experiment differs"
        if check["agree"]:
            verdict = "the experiment is the graph's" + (" but for its loss" if check["note"] else "")
        elif close:
            verdict = "the outputs are the graph's, its loss is another one"
        say(f"check       {verdict}")
    say(f"written     {document['out']}")
    say(
        f"next        tf1-lstm predict {document['out']} --checkpoint {document['checkpoint']} --file x.npy --out y.npz"
    )
