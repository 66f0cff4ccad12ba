"""The command ``compare-training``: train the original and a port on the same batches, seed by seed."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from tf1_lstm.commands.options import add_data_options, add_json_option, at_least, parse_settings

DESCRIPTION = """\
For a port that agrees with the original to 1e-5 and still gets worse results: TensorFlow 1 and the port are
trained with the same seeds on the same batches, and their accuracies are compared, paired by seed."""

EPILOG = """\
port: a keras.Model or nn.Module, as compare takes it. It is trained by its own optimizer and loss where it has
them (see docs/compare.md), else by the recipe's, with its own dropout on.

The port begins with TensorFlow 1's initial values of each seed (a class or function with a parameter named
bundle is given them as the bundle's weights). --initial port lets it draw its own instead, as does a port
without that parameter.

Everything is written into --out; the same command goes on where it was stopped, and more --seeds are added to
those that are done.
Exit code 0 where no difference shows, 1 where the accuracies are not of the same distribution or a training
of the port failed, 2 where the port could not be trained at all."""

EXAMPLES = """\
examples:
  tf1-lstm compare-training b.npz --port torch --seeds 1-10
  tf1-lstm compare-training runs/imdb-lstm-seed1 --port my_port.py:MyModel --seeds 1-5 --engine fast
  tf1-lstm compare-training b.npz --port my_port.py:MyModel --seeds 1-10 --initial port"""
MOST_SEEDS = 1000


def add_parser(subparsers: Any) -> None:
    """Add ``compare-training``."""
    parser = subparsers.add_parser(
        "compare-training",
        help="train a port on the same batches, and say whether its accuracies are of the same distribution",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument(
        "original", type=Path, metavar="BUNDLE|RUN", help="written by export --to bundle, or a run folder"
    )
    parser.add_argument("--port", required=True, metavar="TARGET", help="see below")
    parser.add_argument(
        "--seeds",
        type=_seeds,
        required=True,
        metavar="SEEDS",
        help="e.g. 1-10, or 1,2,5; three at least are judged",
    )
    parser.add_argument(
        "--python", metavar="PATH", help="the port's Python (default: .venv-ports/bin/python, else this one)"
    )
    add_data_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of everything (default: runs/training-…)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="change one setting for both sides, e.g. iterations=500; may be repeated",
    )
    parser.add_argument("--split", metavar="NAME", help="what is measured (default: the first split)")
    parser.add_argument(
        "--initial",
        choices=("tf1", "port"),
        default="tf1",
        help="whose initial values the port begins with (default: tf1)",
    )
    parser.add_argument(
        "--margin",
        type=_points,
        default=1.0,
        metavar="POINTS",
        help="a difference of accuracy below this counts as none (default: 1)",
    )
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", help="finished runs of this experiment, not to be trained again"
    )
    parser.add_argument(
        "--engine", choices=("exact", "fast"), default="exact", help="of the original (default: exact)"
    )
    parser.add_argument(
        "--threads", type=at_least(0), default=0, metavar="N", help="of both sides (default: one a core)"
    )
    parser.add_argument(
        "--time-limit",
        type=at_least(1),
        default=86400,
        metavar="SECONDS",
        help="for each training of the port (default: 86400)",
    )
    parser.add_argument("--raw-pictures", action="store_true", help="feed pictures as 0 to 255 to the port")
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Train, compare, print."""
    from tf1_lstm.runs.port_training import TrainingOptions, compare_training

    done = compare_training(
        options.original,
        options.port,
        TrainingOptions(
            seeds=options.seeds,
            python=options.python,
            data=options.data,
            sample=options.sample,
            out=options.out,
            settings=parse_settings(options.settings),
            split=options.split,
            initial=options.initial,
            margin=options.margin / 100,
            engine=options.engine,
            threads=options.threads,
            time_limit=float(options.time_limit),
            raw_pictures=options.raw_pictures,
            runs=options.runs,
        ),
        _sayer(),
    )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if done.document is None:
        return done.exit_code
    if options.json:
        print(json.dumps(done.document, indent=1, allow_nan=False))
    else:
        print("\n".join(_lines(done.document)))
    return done.exit_code


def _lines(document: Dict[str, Any]) -> List[str]:
    from tf1_lstm.core.text_table import text_table
    from tf1_lstm.runs.port_training import pairs_table

    found = []
    if document["is_sample"]:
        found.append("EMBEDDED SAMPLE: these figures say nothing about the published experiment")
    port = document["port"]
    versions = ", ".join(
        f"{name} {port[name]}"
        for name in ("keras", "tensorflow", "torch", "numpy", "python")
        if port.get(name)
    )
    found += [f"port            {port['target']}", f"                {versions}"]
    error = port.get("logits_error")
    if isinstance(error, float) and error > 1e-4:
        found.append(
            f"note            with the trained weights its logits differ by {error:.2g}: "
            "`tf1-lstm compare` first"
        )
    unit = "%" if document["figure"] == "accuracy" else document["figure"].replace("_", " ")
    found += [
        f"measured        {document['split']}, {document['examples']:,} examples, dropout off ({unit})",
        "",
    ]
    header = ("seed", "TensorFlow 1", "port", "difference", "the port begins with initial values")
    found += [text_table(header, pairs_table(document), right=(0, 1, 2, 3)), ""]
    verdict = document["verdict"]
    found.append(f"verdict         {verdict['text'] if verdict else 'none: the port was not trained'}")
    found.append(f"written         {document['folder']}/training.json")
    return found


def _sayer() -> Callable[[str], None]:
    """Show lines on standard error: in one place of a terminal, else every half minute."""
    last = [0.0]

    def say(line: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last[0] >= 30:
            last[0] = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    return say


def _seeds(text: str) -> List[int]:
    """``1-10``, ``3``, or ``1,2,5-7`` to a list without repetitions."""
    found: List[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected seeds such as 1-10 or 1,2,5")
        low, high = int(first), int(last or first)
        if low > high or high - low >= MOST_SEEDS or high >= 1 << 63:
            raise argparse.ArgumentTypeError(
                f"found {part.strip()!r}, expected at most {MOST_SEEDS} seeds, upwards"
            )
        found += range(low, high + 1)
    return list(dict.fromkeys(found))


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 100:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected points between 0 and 100")
    return value
