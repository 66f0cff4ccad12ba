"""The program: ``python -m tf1_lstm``, and ``tf1-lstm`` where it is installed.

Nothing is imported before Ctrl-C can end in a line.
"""

import sys


def main() -> int:
    """Run the command line, its own imports included."""
    try:
        from tf1_lstm.cli import main as run
    except KeyboardInterrupt:
        print("tf1-lstm: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
