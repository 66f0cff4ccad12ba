"""Which finished runs stand for the original where a port's training is compared."""

from tests.runs.conftest import small
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.loop import Outcome
from tf1_lstm.runs.port_training import TrainingOptions, _Comparison


def test_a_run_of_another_engine_is_not_taken_for_the_original(first: Outcome) -> None:
    record = RunFolder.open(first.run).record
    comparison = object.__new__(_Comparison)
    comparison._experiment = small()
    for engine, seed, same in (("exact", 1, True), ("exact", 2, False), ("fast", 1, False)):
        comparison._options = TrainingOptions([seed], engine=engine)
        assert comparison._is_same(record, seed) is same
