"""Going on with a run: on the same kind of processor, or said; and checkpoints by time."""

import pytest

from tf1_lstm.errors import InputError
from tf1_lstm.runs import environment, processors
from tf1_lstm.runs.folder import RunFolder
from tf1_lstm.runs.processors import check_processor
from tf1_lstm.runs.start import resume_run, start_run

SETTINGS = {"iterations": 6, "save_every": 4}


@pytest.fixture
def run(tmp_path):
    start_run("mnist-rnn", sample=True, settings=SETTINGS, run=tmp_path / "run", progress=False, threads=1)
    return tmp_path / "run"


def stopped(path):
    """Make a whole run one that was stopped after its first checkpoint."""
    opened = RunFolder.open(path)
    opened.lock()
    opened.rewind(4)
    opened.save_record(ended=None, checkpoints=opened.checkpoints()[:1])
    opened.close()


def test_another_kind_of_processor_is_refused_unless_it_is_wanted_and_then_recorded(run, monkeypatch):
    digest = RunFolder.open(run).record["checkpoints"][-1]["weights_sha256"]
    stopped(run)
    monkeypatch.setattr(
        processors, "processor", lambda: {"model name": "Another CPU", "flags": "avx avx2 fma"}
    )
    with pytest.raises(InputError, match=r"found Another CPU, AVX2.*or --other-processor"):
        resume_run(run)
    assert not [event for event in RunFolder.open(run).events() if event["event"] == "resume"]
    outcome = resume_run(run, other_processor=True)
    assert outcome is not None and outcome.weights_sha256 == digest
    opened = RunFolder.open(run)
    assert opened.record["resumed_on"] == ["Another CPU, AVX2"]
    (event,) = [event for event in opened.events() if event["event"] == "resume"]
    assert {"cpu", "instruction_set", "commit", "tensorflow"} <= set(event["environment"])
    assert not opened.edits()


def test_the_same_kind_goes_on_without_a_word(run):
    stopped(run)
    opened = RunFolder.open(run)
    check_processor(opened, False)
    assert "resumed_on" not in opened.record


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("sse avx avx2 fma avx512f", "AVX-512"),
        ("avx avx2 fma", "AVX2"),
        ("avx avx2", "AVX"),
        ("", "none of AVX"),
    ],
)
def test_the_widest_instruction_set_is_named(flags, name):
    assert environment.instruction_set(flags) == name


def test_checkpoints_by_time_come_beside_the_others_and_change_no_bit(run, tmp_path, monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 40
        return now[0]

    monkeypatch.setattr("tf1_lstm.runs.loop.time.monotonic", clock)
    start_run(
        "mnist-rnn",
        sample=True,
        settings=SETTINGS,
        run=tmp_path / "timed",
        progress=False,
        threads=1,
        save_minutes=1,
    )
    plain, timed = (RunFolder.open(path).checkpoints() for path in (run, tmp_path / "timed"))
    steps = [checkpoint["step"] for checkpoint in timed]
    assert {4, 6} < set(steps) and [checkpoint["step"] for checkpoint in plain] == [4, 6]
    assert timed[-1]["weights_sha256"] == plain[-1]["weights_sha256"]
    assert not RunFolder.open(tmp_path / "timed").record["deviations"].keys() & {"save_minutes"}
