"""The command ``export``: a checkpoint as a bundle, or as a model for Keras, PyTorch or ONNX."""

import argparse
import json
from pathlib import Path
from typing import Any

from tf1_lstm.commands.options import add_json_option, at_least
from tf1_lstm.commands.restoring import add_restoring_options, print_facts, restored
from tf1_lstm.errors import InputError

EXPORT_FORMATS = """\
formats:
  bundle  one .npz (no pickle) with the weights, a fixed batch, and what TensorFlow 1.15 computes from
          it: outputs and states at every step, logits, loss, gradients, three steps of the recipe's
          optimizer, the logits of the whole split; described in docs/bundle.md, read by tf1-lstm compare
  keras   NAME.weights.h5 (the weights, gates reordered and forget bias added) or NAME.keras (the model)
  torch   NAME.safetensors, a state dict without pickled code
  onnx    NAME.onnx, for onnxruntime
NAME.keras and NAME.onnx are written by .venv-ports (make ports).

The whole code that builds and loads the model is printed, and written to a file by --code: run as it is,
it passes every level of tf1-lstm compare."""


EXAMPLES = """\
examples:
  tf1-lstm export imdb-lstm --checkpoint checkpoints/sample --sample --to bundle --out b.npz
  tf1-lstm export mnist-lstm --checkpoint models --to keras --out lstm.keras --code lstm.py"""


def add_parser(subparsers: Any) -> None:
    """Add ``export``."""
    parser = subparsers.add_parser(
        "export",
        help="a checkpoint as a bundle for compare, or as a model for Keras, PyTorch or ONNX",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXPORT_FORMATS,
    )
    add_restoring_options(parser)
    parser.add_argument("--to", required=True, choices=("bundle", "keras", "torch", "onnx"), help="see below")
    parser.add_argument("--out", required=True, type=Path, metavar="PATH", help="the file to write")
    parser.add_argument(
        "--code", type=Path, metavar="FILE.py", help="write the code that builds and loads the model"
    )
    parser.add_argument(
        "--split", metavar="NAME", help="bundle: the split of batch and labels (default: first)"
    )
    parser.add_argument(
        "--examples",
        type=at_least(1),
        default=16,
        metavar="N",
        help="bundle: size of the batch (default: 16)",
    )
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Export and say what was written."""
    from tf1_lstm.runs.export import export

    if options.to == "bundle" and options.code is not None:
        raise InputError("--code: found with --to bundle, expected --to keras, torch or onnx")
    opened = restored(options)
    lines = export(opened, options.to, options.out, options.split, options.examples, options.code)
    if options.json:
        facts = dict(opened.facts, out=str(options.out), to=options.to, lines=lines)
        print(json.dumps(facts, indent=1))
        return 0
    print_facts(opened.facts)
    print(f"written         {options.out} ({options.out.stat().st_size:,} bytes)")
    print("\n".join(["", *lines]))
    return 0
