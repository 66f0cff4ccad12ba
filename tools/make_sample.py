"""Writes the embedded samples, ``data/sample``, anew: always the same bytes.

Usage: python tools/make_sample.py [FOLDER]
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import List, Sequence

PROJECT = Path(__file__).resolve().parents[1]
SAMPLES = {
    "imdb": "tools.sample_imdb",
    "keras-imdb": "tools.sample_keras_imdb",
    "mnist": "tools.sample_mnist",
}


def make_all(folder: Path) -> List[Path]:
    """Write every sample whose generator is there, each into its own sub-folder, and return these."""
    made = []
    for below, module in SAMPLES.items():
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module).make(folder / below)
            made.append(folder / below)
    return made


def main(arguments: Sequence[str]) -> int:
    """Write to the folder in ``arguments``, or to the project's own."""
    folder = Path(arguments[0]) if arguments else PROJECT / "data" / "sample"
    for made in make_all(folder):
        size = sum(path.stat().st_size for path in made.iterdir())
        print(f"{made}: {size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    sys.exit(main(sys.argv[1:]))
