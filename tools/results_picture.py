"""Draw the picture of every experiment of epochs from the results files under ``results/``.

Published, TensorFlow 1 and port stand in one panel for each recipe; what was not measured is left out.
With ``--check`` nothing is written: exit code 1 says that the picture is not that of the results.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Optional, Sequence

from tf1_lstm.errors import InputError
from tf1_lstm.recipes import all_recipes
from tf1_lstm.report.documents import read_results_folder
from tf1_lstm.report.experiments import experiments
from tf1_lstm.report.experiments_picture import experiments_picture

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; returns its exit code: 0, 1 (``--check``: not up to date) or 2 (bad input)."""
    parser = argparse.ArgumentParser(description="Draw the experiments of epochs from results/*.json.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 unless up to date")
    parser.add_argument("--results", type=Path, default=ROOT / "results", metavar="DIR")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "docs" / "published-experiments.png", metavar="FILE"
    )
    options = parser.parse_args(arguments)
    try:
        runs, ports = read_results_folder(options.results)
        found = experiments(all_recipes(), list(runs.values()), ports)
        if not options.check:
            print(f"{options.out}: {', '.join(experiments_picture(found, options.out))}")
            return 0
        with tempfile.TemporaryDirectory() as folder:
            new = Path(folder) / "new.png"
            experiments_picture(found, new)
            same = options.out.is_file() and options.out.read_bytes() == new.read_bytes()
        print(f"{options.out}: {'' if same else 'not '}up to date with {options.results}")
        return 0 if same else 1
    except InputError as error:
        print(f"results_picture: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
