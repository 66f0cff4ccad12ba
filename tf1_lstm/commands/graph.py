"""The command ``graph``: a checkpoint's own graph, listed or run."""

import argparse
import json
from pathlib import Path
from typing import Any

from tf1_lstm.commands.options import CHECKPOINT_PATH_HELP, add_json_option
from tf1_lstm.commands.printing import say
from tf1_lstm.errors import InputError

EXAMPLES = """\
examples:
  tf1-lstm graph models/char-rnn                          what is in the graph beside that checkpoint
  tf1-lstm graph models/char-rnn --feed x=x.npy --feed keep_prob=1.0 --fetch logits:0 --out y.npz
  tf1-lstm graph exported/1 --feed x=x.npy --fetch y --out y.npz          a SavedModel
  tf1-lstm graph models/char-rnn --feed x=x.npy --feed y=y.npy --fetch logits --loss loss \\
      --to bundle --out bundle.npz                        what tf1-lstm compare judges a port by

The graph runs on the processor, in a process of its own, with the variables of the checkpoint. Operations
that touch files, processes, the network or Python are refused before anything runs."""


def add_parser(subparsers: Any) -> None:
    """Add ``graph``."""
    parser = subparsers.add_parser(
        "graph",
        help="list a checkpoint's own graph (.meta, SavedModel, frozen .pb), or run it on a batch",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "path", metavar="CHECKPOINT", help=f"{CHECKPOINT_PATH_HELP}; a SavedModel's folder; or a frozen .pb"
    )
    parser.add_argument(
        "--meta", metavar="FILE", help="the graph, where it is not the .meta beside the checkpoint"
    )
    parser.add_argument(
        "--feed",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a placeholder (or any tensor) a .npy file, a number or a JSON list; may be repeated",
    )
    parser.add_argument(
        "--fetch", action="append", default=[], metavar="NAME", help="a tensor to compute; may be repeated"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the .npz to write")
    parser.add_argument(
        "--to",
        choices=("npz", "bundle"),
        default="npz",
        help="npz: the fetched arrays under their names; bundle: inputs, outputs, weights and, with --loss, "
        "gradients, for tf1-lstm compare (default: npz)",
    )
    parser.add_argument("--loss", metavar="NAME", help="bundle: the loss whose gradients are kept")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="leave out what the fetched outputs do not need, whatever operations it holds",
    )
    parser.add_argument(
        "--time-limit", type=_positive, default=60.0, metavar="SECONDS", help="for the run (default: 60)"
    )
    parser.add_argument(
        "--memory-limit",
        type=_positive,
        default=4.0,
        metavar="GIB",
        help="for the run, beyond what TensorFlow itself takes (default: 4)",
    )
    add_json_option(parser)
    parser.set_defaults(func=run)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return value


def run(options: argparse.Namespace) -> int:
    """List the graph, or run it."""
    from tf1_lstm.original.listing import lines, listing
    from tf1_lstm.original.source import open_graph, reading

    if not options.fetch and (options.feed or options.out or options.loss):
        raise InputError(
            "--fetch: found none, expected a tensor to compute (graph CHECKPOINT alone lists them)"
        )
    original = open_graph(options.path, options.meta)
    if not options.fetch:
        document = listing(original, options.prune)
        if options.json:
            print(json.dumps(document, indent=1, allow_nan=False))
        else:
            say("\n".join(lines(document)))
        return 0
    if options.out is None:
        raise InputError("--out: found none, expected the .npz to write")
    with reading(original.file):
        document = _run(options, original)
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        for entry in document["outputs"]:
            say(f"{entry['name']}  {entry['dtype']} {entry['shape']}")
        say(f"written to {document['out']}")
    return 0


def _run(options: argparse.Namespace, original: Any) -> Any:
    from tf1_lstm.original.answers import write_arrays
    from tf1_lstm.original.feeds import find_tensor, parse_feeds
    from tf1_lstm.original.run import RunLimits, run_graph

    graph, file = original.graph, original.file
    feeds = parse_feeds(options.feed, graph, file)
    fetches = [find_tensor(graph, name, file, "--fetch") for name in options.fetch]
    loss = find_tensor(graph, options.loss, file, "--loss") if options.loss else None
    if options.loss and options.to != "bundle":
        raise InputError("--loss: found it without --to bundle, expected both")
    limits = RunLimits(options.time_limit, options.memory_limit)
    ran = run_graph(original, feeds, fetches, limits, options.prune, loss)
    if options.to == "bundle":
        _write_bundle(options.out, original, feeds, fetches, ran, loss)
    else:
        write_arrays(options.out, ran.outputs)
    return {
        "graph": file,
        "checkpoint": original.checkpoint.prefix if original.checkpoint else None,
        "outputs": [
            {"name": name, "dtype": str(array.dtype), "shape": list(array.shape)}
            for name, array in ran.outputs.items()
        ],
        "gradients": len(ran.gradients),
        "without_gradient": ran.without_gradient,
        "out": str(options.out),
    }


def _write_bundle(out: Path, original: Any, feeds: Any, fetches: Any, ran: Any, loss: Any) -> None:
    import os

    from tf1_lstm.original.feeds import used_by
    from tf1_lstm.parity.graph_bundle import GraphBundle, write_graph_bundle

    checkpoint = original.checkpoint
    names = {tensor.typed: tensor.name for tensor in fetches}
    document = {
        "graph": os.path.basename(original.file),
        "checkpoint": {"name": os.path.basename(checkpoint.prefix), "step": checkpoint.step}
        if checkpoint
        else None,
        "tensorflow": original.graph.tensorflow or None,
        "used": [tensor.name for tensor in used_by(original.graph, fetches, feeds)],
        "loss": loss.name if loss else None,
        "without_gradient": ran.without_gradient,
    }
    bundle = GraphBundle(
        document,
        {tensor.name: array for tensor, array in feeds.items()},
        {names[typed]: array for typed, array in ran.outputs.items()},
        ran.variables,
        ran.loss,
        ran.gradients,
    )
    write_graph_bundle(out, bundle)
