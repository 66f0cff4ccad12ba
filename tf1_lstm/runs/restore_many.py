"""Many checkpoints through one graph and one session, as long as their settings are the same."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

from tf1_lstm.checkpoints.locate import locate
from tf1_lstm.checkpoints.restore import load_weights
from tf1_lstm.core.tensorflow import load_variables
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json
from tf1_lstm.runs.restore import Restored, restore


class ManyCheckpoints:
    """Restore checkpoints one after the other; use as a context manager.

    A graph is built for the first one, and again where a checkpoint's run had other settings.

    Args:
      recipe: as for ``restore``.
      arguments: keyword arguments of ``restore``.
    """

    def __init__(self, recipe: str, **arguments: Any) -> None:
        self._recipe, self._arguments = recipe, arguments
        self._restored: Optional[Restored] = None
        self._settings: Optional[str] = None
        self.graphs = 0

    def __enter__(self) -> "ManyCheckpoints":
        return self

    def __exit__(self, *unused: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self._restored is not None:
            self._restored.model.session.close()
            self._restored = None

    def restore(self, checkpoint: str) -> Restored:
        """The checkpoint in the graph; it stays there until the next is restored.

        Raises:
          InputError: it cannot be read, or does not fit.
        """
        settings = _settings_of(Path(checkpoint))
        if self._restored is None or settings != self._settings:
            self._close()
            self._restored = restore(self._recipe, checkpoint, **self._arguments)
            self._settings = settings
            self.graphs += 1
            return self._restored
        model = self._restored.model
        located = locate(checkpoint)
        weights = load_weights(checkpoint, model.expected())
        values = ((variable, weights.arrays[name]) for name, variable in model.graph.variables.items())
        load_variables(values, model.session)
        facts: Dict[str, Any] = {
            **self._restored.facts,
            "checkpoint": str(located.prefix),
            "chosen": located.how,
            "step": weights.step,
            "weights_sha256": weights.digest(),
        }
        self._restored = self._restored._replace(facts=facts)
        return self._restored


def _settings_of(checkpoint: Path) -> str:
    """What the run that a checkpoint lies in says of its graph and data; the same text for the same."""
    for folder in [checkpoint, *checkpoint.parents][:3]:
        if (folder / "run.json").is_file():
            try:
                record = read_json(folder / "run.json")
            except InputError:
                return str(folder)
            names = ("recipe", "settings", "experiment", "sample")
            return json.dumps([record.get(name) for name in names], sort_keys=True)
    return ""
