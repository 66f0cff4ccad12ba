"""The command ``inspect``: what a checkpoint is."""

import argparse
import json
from typing import Any

from tf1_lstm.commands.options import CHECKPOINT_PATH_HELP, add_json_option, add_many_options, many_paths
from tf1_lstm.commands.printing import answer_and_count, say

EXAMPLES = """\
examples:
  tf1-lstm inspect checkpoints/sample
  tf1-lstm inspect models/pretrained_lstm.ckpt-90000.index --json"""


def add_parser(subparsers: Any) -> None:
    """Add ``inspect``."""
    parser = subparsers.add_parser(
        "inspect",
        help="say what a checkpoint is: format, naming, model, variables, which recipes it fits",
        description="Say what a checkpoint of any TensorFlow 1 version is, without TensorFlow; of many, as "
        "JSON lines.",
    )
    parser.add_argument("path", metavar="PATH", nargs="*", help=CHECKPOINT_PATH_HELP)
    add_json_option(parser)
    add_many_options(parser, "checkpoints")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Print what a checkpoint is."""
    from tf1_lstm.checkpoints.inspection import inspect, lines
    from tf1_lstm.original.beside import graph_lines, with_graph
    from tf1_lstm.recipes import all_recipes

    paths = many_paths(options, options.path)
    recipes = all_recipes()
    if paths is not None:
        return answer_and_count(
            paths, options.out, {"inspect": 1}, lambda path: with_graph(inspect(path, recipes))
        )
    document = with_graph(inspect(options.path[0], recipes))
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        from tf1_lstm.core.text_table import fitted

        # What is typed next stays whole.
        printed = [line if line.startswith("next ") else fitted(line, " " * 12) for line in lines(document)]
        say("\n".join([*printed, "", *(fitted(line, " " * 12) for line in graph_lines(document))]))
    return 0
