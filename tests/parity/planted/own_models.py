"""Run many ports in one process: ``python own_models.py FOLDER``.

Each folder below FOLDER has a ``request.json`` of ``parity.child``, and is left as that leaves it.
"""

import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tf1_lstm.parity.child import main

for folder in sorted(Path(sys.argv[1]).iterdir()):
    if (folder / "request.json").is_file():
        try:
            main(folder)
        except Exception:
            (folder / "crash.txt").write_text(traceback.format_exc())
