"""The commands ``export`` and ``compare``; what they do is imported when they run."""

import argparse
from pathlib import Path
from typing import Any

from tf1_lstm.options import (
    add_checkpoint_option,
    add_data_options,
    add_device_options,
    add_setting_options,
    at_least,
)

EXPORT_FORMATS = """\
formats:
  bundle  one .npz (no pickle) with the weights, a fixed batch, and what TensorFlow 1.15 computes from
          it: outputs and states at every step, logits, loss, gradients, three steps of the recipe's
          optimizer, the logits of the whole split; described in docs/bundle.md, read by tf1-lstm compare
  keras   NAME.weights.h5, gates reordered and forget bias added. For imdb-lstm it is loaded by
            model = keras.Sequential([keras.Input((250,)), keras.layers.Embedding(400000, 50),
                                      keras.layers.LSTM(64), keras.layers.Dense(2)])
            model.load_weights("NAME.weights.h5")
  torch   NAME.safetensors, a state dict without pickled code, for a module with embedding, recurrent
          (nn.LSTM, batch_first) and linear. It is loaded by
            from safetensors.torch import load_file
            model.load_state_dict(load_file("NAME.safetensors"))

The lines for the recipe at hand are printed."""

PORT_HELP = """\
port:
  keras, torch         the project's own port of the bundle's recipe
  module:callable      ids or pictures in, logits out (NumPy arrays); nothing else of it is visible
  module:Class         or a keras.Model or nn.Module: weights, states, gradients and the optimizer's steps
                       are compared too. A class or function with a parameter named bundle is given it.
  FILE.py:name         the same, from a file
  FILE.keras, a SavedModel folder, FILE.pt (TorchScript)

Levels: weights, steps (outputs and states), logits, labels (a whole split, with --data), loss,
gradients, updates (the weights after each of three steps of the optimizer). Where one fails, the NumPy
reference is run under every known mistake and under pairs of them, and the one that explains the numbers
is named, with the line that mends it.
Exit code 0 where all that could be compared passes, 1 otherwise."""


def add_parsers(subparsers: Any) -> None:
    """Add ``export`` and ``compare``."""
    raw = argparse.RawDescriptionHelpFormatter
    export = subparsers.add_parser(
        "export",
        help="a checkpoint as a bundle for compare, or as weights for Keras or PyTorch",
        formatter_class=raw,
        epilog=EXPORT_FORMATS,
    )
    export.add_argument("recipe", metavar="RECIPE")
    add_checkpoint_option(export)
    add_data_options(export)
    add_setting_options(export)
    add_device_options(export)
    export.add_argument("--to", required=True, choices=("bundle", "keras", "torch"), help="see below")
    export.add_argument("--out", required=True, type=Path, metavar="PATH", help="the file to write")
    export.add_argument(
        "--split", metavar="NAME", help="bundle: the split of batch and labels (default: first)"
    )
    export.add_argument(
        "--examples",
        type=at_least(1),
        default=16,
        metavar="N",
        help="bundle: size of the batch (default: 16)",
    )
    export.add_argument("--json", action="store_true", help="print one JSON document")
    export.set_defaults(func=_run_export)

    compare = subparsers.add_parser(
        "compare",
        help="compare a port with a bundle, and say what is wrong with it",
        formatter_class=raw,
        epilog=PORT_HELP,
    )
    compare.add_argument("bundle", type=Path, metavar="BUNDLE", help="written by tf1-lstm export --to bundle")
    compare.add_argument("--port", required=True, metavar="TARGET", help="see below")
    compare.add_argument(
        "--python", metavar="PATH", help="the port's Python (default: .venv-ports/bin/python, else this one)"
    )
    add_data_options(compare)
    compare.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the picture and the tracebacks (default: runs/compare-…)",
    )
    compare.add_argument(
        "--tolerance",
        action="append",
        default=[],
        metavar="[LEVEL=]NUMBER",
        help="largest difference, relative where a number is larger than 1 (default: 1e-5); may be repeated; "
        "adam= is understood as updates=",
    )
    compare.add_argument(
        "--time-limit", type=at_least(1), default=600, metavar="SECONDS", help="for the port (default: 600)"
    )
    compare.add_argument(
        "--raw-pictures",
        action="store_true",
        help="feed pictures as 0 to 255 for a port that scales them itself",
    )
    compare.add_argument("--json", action="store_true", help="print one JSON document")
    compare.set_defaults(func=_run_compare)


def _run_export(options: argparse.Namespace) -> int:
    from tf1_lstm.runs.export import run_export

    return run_export(options)


def _run_compare(options: argparse.Namespace) -> int:
    from tf1_lstm.parity.compare import run_compare

    return run_compare(options)
