"""The command ``convert``: a checkpoint under the variable names of another TensorFlow version."""

import argparse
import json
from typing import Any, Dict

from tf1_lstm.commands.options import CHECKPOINT_PATH_HELP, add_json_option
from tf1_lstm.commands.printing import say

TARGETS = ("tf1.15", "tf1.0", "tf0.12", "tutorial")  # naming.NAMINGS, without importing it


EXAMPLES = """\
examples:
  tf1-lstm convert old/model.ckpt-90000 new/ --to tf1.15
  tf1-lstm convert old/model.ckpt-90000 new/ --to tf1.15 --dry-run    names only"""


def add_parser(subparsers: Any) -> None:
    """Add ``convert``."""
    parser = subparsers.add_parser(
        "convert",
        help="write a checkpoint under the variable names of another version",
        description="Write a checkpoint under the variable names of another version, slots included, "
        "and read the result back. The source is never changed.",
    )
    parser.add_argument("source", metavar="SRC", help=CHECKPOINT_PATH_HELP)
    parser.add_argument("target", metavar="DST", help="prefix of the new checkpoint, or a folder for it")
    parser.add_argument(
        "--to",
        required=True,
        choices=TARGETS,
        help="tf1.15 (1.2 and later), tf1.0 (1.0 and 1.1), tf0.12 (a V1 file), or tutorial (the names and "
        "the unread variable of the IMDB tutorial's script)",
    )
    parser.add_argument(
        "--keep-names",
        action="store_true",
        help="rename the recurrent cells only; the rest keep their names, for a graph of your own",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the names and write nothing")
    parser.add_argument("--force", action="store_true", help="overwrite DST")
    add_json_option(parser)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Convert a checkpoint, or print what would be done."""
    from tf1_lstm.checkpoints.conversion import plan
    from tf1_lstm.checkpoints.naming import NAMINGS
    from tf1_lstm.checkpoints.write import check_target, write

    planned = plan(options.source, options.target, options.to, options.keep_names)
    if options.dry_run:
        check_target(planned, options.force)
    else:
        write(planned, options.force)
    document = {
        "source": planned.source.prefix,
        "how": planned.source.how,
        "target": planned.target,
        "format": NAMINGS[options.to].format,
        "written": not options.dry_run,
        "moves": [{"old": list(move.old), "new": move.new, "role": move.why} for move in planned.moves],
        "left": planned.left,
        "sha256": planned.digest,
    }
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        _print_conversion(document)
    return 0


def _print_conversion(document: Dict[str, Any]) -> None:
    from tf1_lstm.checkpoints.restore import table

    rows = [("old name", "", "new name", "what it is")]
    for move in document["moves"]:
        rows.append((" + ".join(move["old"]) or "(none)", "->", move["new"], move["role"]))
    done = f"written and read back: {len(document['moves'])} variables, bit for bit the same"
    lines = [
        f"from    {document['source']}  ({document['how']})",
        f"to      {document['target']}  ({document['format']})",
        *table(rows),
        *[f"left out: {line}" for line in document["left"]],
        f"sha256  {document['sha256']}  (canonical weights)",
        done if document["written"] else "dry run: nothing was written",
    ]
    say("\n".join(lines))
