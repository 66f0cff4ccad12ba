"""The command line's words: one module a command, and nothing else in the package knows argparse.

Each has ``add_parser(subparsers)`` and ``run(options) -> int``, the exit code. They import nothing heavy
until a command runs: help answers at once, and ``doctor`` runs where nothing else does.
"""

# In the order of --help.
COMMANDS = (
    "recipes",
    "fetch",
    "prepare",
    "new",
    "train",
    "resume",
    "verify",
    "runs",
    "report",
    "evaluate",
    "test-batches",
    "predict",
    "gradients",
    "reproduce",
    "study",
    "inspect",
    "graph",
    "adopt",
    "convert",
    "export",
    "compare",
    "compare-training",
    "completion",
    "doctor",
)
