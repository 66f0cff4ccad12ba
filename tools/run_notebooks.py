"""Run the notebooks with .venv's Python, each in an empty folder, and write them with their outputs.

usage: tools/run_notebooks.py [FOLDER]     default: build/notebooks
A cell that raises ends it with exit code 1 and the cell's error.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient.client import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 600  # for a cell


def run(notebook: Path, target: Path) -> None:
    """Run one notebook and write it with what it printed.

    Raises:
      CellExecutionError: a cell raised.
    """
    document = nbformat.read(str(notebook), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(document, timeout=SECONDS, kernel_name="python3", resources=resources).execute()
    # An object that cannot show itself ends no cell.
    shown = [output for cell in document.cells for output in cell.get("outputs", [])]
    wrong = [output for output in shown if output["output_type"] == "error"]
    if wrong:
        raise CellExecutionError("\n".join(wrong[0]["traceback"]), wrong[0]["ename"], wrong[0]["evalue"])
    target.mkdir(parents=True, exist_ok=True)
    nbformat.write(document, str(target / notebook.name))


def main() -> int:
    """Run all of notebooks/."""
    target = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "build" / "notebooks"
    failed = 0
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        try:
            run(notebook, target)
            print(f"{notebook.name}: done, {target / notebook.name}")
        except CellExecutionError as error:
            failed += 1
            print(f"{notebook.name}: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
