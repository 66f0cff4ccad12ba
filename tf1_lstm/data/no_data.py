"""The data set of a model that came without one: every question for an example is refused in a line."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, NoReturn, Sequence, Tuple

import numpy as np

from tf1_lstm.data.base import AuditFinding, Dataset, Example, Sampler, Split
from tf1_lstm.errors import InputError
from tf1_lstm.files import read_npy


class NoFiles(Dataset):
    """No splits, no samplers, no constants."""

    name = "none"
    folder = Path()
    is_sample = False
    class_names: Tuple[str, ...] = ()
    example_kind = "array"

    def __init__(self, vectors: str = "") -> None:
        """Keep the name of a file of word vectors; empty for none."""
        self._vectors = vectors

    def with_settings(self, settings: Mapping[str, Any]) -> "Dataset":
        """Anything goes: there is no example to fit."""
        return self

    def _refuse(self) -> NoReturn:
        raise InputError(
            "setting data: found NoData, expected data of your own in the experiment's file "
            "(predict --file x.npy --out y.npz and export --to keras need none)"
        )

    def split_names(self) -> Tuple[str, ...]:
        """Refused: there are none."""
        self._refuse()

    def split(self, name: str) -> Split:
        """Refused: there is none."""
        self._refuse()

    def train_sampler(self, kind: str, batch_size: int, seed: int) -> Sampler:
        """Refused: there is none."""
        self._refuse()

    def test_sampler(self, kind: str, batch_size: int, seed: int) -> Sampler:
        """Refused: there is none."""
        self._refuse()

    def audit(self, kind: str, batch_size: int) -> List[AuditFinding]:
        """Nothing to find."""
        return []

    def constants(self) -> Mapping[str, np.ndarray]:
        """The word vectors, where there are any."""
        if not self._vectors:
            return {}
        array = read_npy(self._vectors, "word vectors")
        if array.ndim != 2 or array.dtype != np.float32 or not array.size:
            raise InputError(
                f"{self._vectors}: found {array.dtype} {list(array.shape)}, expected word vectors float32 "
                "[words, width]"
            )
        return {"word_vectors": array}

    def hashes(self) -> Dict[str, str]:
        """None."""
        return {}

    def render(self, inputs: np.ndarray) -> Any:
        """As it is."""
        return inputs

    def encode(self, items: Sequence[Any], names: Sequence[str]) -> List[Example]:
        """Refused: what an example is was in the data."""
        self._refuse()
