"""Seals of a record whose values share a name."""

from tf1_lstm.runs.seal import edited_values, seals_of


def test_two_values_of_one_name_are_no_crash():
    record = {"format": 2, "options": {"seed": 1}, "options.seed": "one"}
    assert set(seals_of(record)) == {"format", "options.seed"}
    sealed = {**record, "seal": seals_of({"format": 2, "options": {"seed": 2}})}
    assert edited_values(sealed) == ["options.seed"]
