"""The project's own studies, as committed: what a single run is placed among."""

from pathlib import Path
from typing import Any, Dict, List

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json

STUDIES = Path(__file__).resolve().parents[2] / "results" / "studies"


def committed_rows(folder: Path = STUDIES) -> List[Dict[str, Any]]:
    """The rows of every study under ``results/studies/``, as ``study table`` wrote them; none without.

    Raises:
      InputError: a file there is no study's table.
    """
    found: List[Dict[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        document = read_json(path)
        if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
            raise InputError(f"{path}: found no rows; expected a table that `tf1-lstm study table` wrote")
        if not document.get("sample"):
            found += [row for row in document["rows"] if isinstance(row, dict)]
    return found
