"""Runs that were edited, cut or made to harm: told by name, and nothing outside the run is touched."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from tests.runs.conftest import called
from tf1_lstm.cli import main
from tf1_lstm.errors import InputError
from tf1_lstm.runs import seal
from tf1_lstm.runs.folder import LOSSES, RunFolder, training_seconds

TRAIN = ["train", "imdb-lstm", "--sample", "--run", "run", "--iterations", "8", "--save-every", "2"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run of 8 iterations with checkpoints at 2, 4, 6, 8."""
    folder = tmp_path_factory.mktemp("trained")
    finished = called([*TRAIN, "--set", "log_every=2"], folder)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoiled, as if it had been stopped."""
    shutil.copytree(str(trained / "run"), str(tmp_path / "run"))
    folder = RunFolder.open(tmp_path / "run")
    folder.save_record(ended=None)
    return tmp_path / "run"


def edit_log(run: Path, change: Callable[[List[Dict[str, Any]]], Any]) -> None:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    change(lines)
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def edit_record(run: Path, change: Callable[[Dict[str, Any]], Any]) -> None:
    record = json.loads((run / "run.json").read_text())
    change(record)
    (run / "run.json").write_text(json.dumps(record))


def forge_without_seals(run: Path) -> None:
    """As a run of before there were seals, which nothing but its contents speaks for."""
    edit_record(run, lambda record: record.update({"format": 1, "seal": None, "id": None}))
    edit_log(run, lambda lines: [line.pop("seal") for line in lines])


def snapshot(folder: Path) -> Dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def checkpoint_lines(lines: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return [line for line in lines if line["event"] == "checkpoint"]


ESCAPES: Dict[str, Dict[str, Any]] = {
    "a prefix above": {"prefix": "../victim/thesis"},
    "an absolute prefix": {"prefix": "/tmp/thesis"},
    "a prefix above within": {"prefix": "checkpoints/../../victim/thesis"},
    "a deeper prefix": {"prefix": "checkpoints/a/b"},
    "a pattern": {"prefix": "checkpoints/*"},
    "no text": {"prefix": ["checkpoints/imdb-lstm-2"]},
    "a file above": {"sha256": {"../victim/thesis.index": "0" * 64}},
    "a file of another checkpoint": {"sha256": {"checkpoints/thesis.index": "0" * 64}},
    "no hash": {"sha256": {"checkpoints/imdb-lstm-2.index": "0"}},
    "a step that is a text": {"step": "2"},
    "a negative step": {"step": -2},
    "a truth value": {"step": True},
}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("name", ESCAPES)
def test_a_record_that_leads_outside_is_refused_and_nothing_is_touched(name, sealed, run, tmp_path, capfd):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.index").write_text("years of work")
    edit_record(run, lambda record: record["options"].update(keep=1))
    if not sealed:
        forge_without_seals(run)
    edit_log(run, lambda lines: checkpoint_lines(lines)[0].update(**ESCAPES[name]))
    before = snapshot(tmp_path)
    assert main(["resume", str(run)]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert snapshot(tmp_path) == before


def test_forgetting_removes_only_what_this_run_wrote(run):
    folder = RunFolder.open(run)
    first = folder.checkpoints()[0]
    data = next(run / name for name in first["sha256"] if ".data" in name)
    data.write_bytes(b"somebody else's")
    folder.forget(first)
    left = sorted(path.name for path in (run / "checkpoints").glob("imdb-lstm-2.*"))
    assert left == [data.name]
    assert data.read_bytes() == b"somebody else's"


@pytest.mark.parametrize("name", ["checkpoints", "events", "losses.f32", "log.jsonl"])
def test_a_run_whose_parts_are_links_to_elsewhere_is_not_written_to(name, run, tmp_path):
    outside = tmp_path / "outside"
    (run / name).rename(outside)
    (run / name).symlink_to(outside)
    with pytest.raises(InputError, match="found a link"):
        RunFolder.open(run).lock()


EDITS: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "options.seed": lambda record: record["options"].update(seed=2),
    "options.keep": lambda record: record["options"].update(keep=1),
    "settings.learning_rate": lambda record: record["settings"].update(learning_rate=0.5),
    "data.idsMatrix.npy": lambda record: record["data"].update({"idsMatrix.npy": "0" * 64}),
    "environment.cpu": lambda record: record["environment"].update(cpu="another"),
    "id": lambda record: record.update(id="0" * 64),
    "started": lambda record: record.pop("started"),
    "more": lambda record: record.update(more=1),
    "seal": lambda record: record.pop("seal"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_of_the_record_is_named(name, run):
    assert RunFolder.open(run).edits() == []
    edit_record(run, EDITS[name])
    assert f"run.json: {name} was edited" in RunFolder.open(run).edits()


def test_another_seed_is_neither_resumed_nor_verified(run, tmp_path):
    edit_record(run, EDITS["options.seed"])
    before = snapshot(run)
    finished = called(["resume", "run"], tmp_path)
    assert finished.returncode == 2
    assert finished.stderr.startswith("tf1-lstm: run: run.json: options.seed was edited; expected a run")
    assert snapshot(run) == before
    finished = called(["verify", "run"], tmp_path)
    assert finished.returncode == 1
    assert "FAIL  seals: run.json: options.seed was edited\n" in finished.stdout


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[2].update(loss=0.25),
        lambda lines: lines.pop(2),
        lambda lines: lines.insert(2, dict(lines[2])),
        lambda lines: lines.reverse(),
        lambda lines: lines[2].pop("seal"),
        lambda lines: lines.pop(),
    ],
)
def test_every_edit_of_the_log_is_noticed(change, run):
    edit_log(run, lambda lines: None)  # the same text again
    assert RunFolder.open(run).edits() == []
    edit_log(run, change)
    (found,) = RunFolder.open(run).edits()
    assert found.startswith("log.jsonl: ")


def test_a_run_made_unsealed_by_hand_is_noticed_by_its_log(run):
    edit_record(run, lambda record: record.update({"format": 1, "seal": None}))
    (found,) = RunFolder.open(run).edits()
    assert "format" in found


def test_a_changed_loss_fails_verify_and_resume_goes_back_before_it(run, tmp_path):
    losses = np.fromfile(str(run / "losses.f32"), "<f4")
    losses[4] += np.float32(1e-6)
    losses.tofile(str(run / "losses.f32"))
    finished = called(["verify", "run"], tmp_path)
    assert finished.returncode == 1
    failed = [line for line in finished.stdout.splitlines() if line.startswith("FAIL")]
    names = [line.split(":")[0] for line in failed]
    assert names == ["FAIL  checkpoint 6", "FAIL  checkpoint 8", "FAIL  losses"]
    assert failed[0].endswith("losses.f32 has changed before iteration 6")


def test_a_finished_run_that_was_edited_is_not_called_finished(trained, tmp_path, capfd):
    shutil.copytree(str(trained / "run"), str(tmp_path / "run"))
    edit_record(tmp_path / "run", lambda record: record["options"].update(seed=2))
    assert main(["resume", str(tmp_path / "run")]) == 2
    assert "options.seed was edited" in capfd.readouterr().err


def test_edited_settings_make_no_other_model_of_the_same_weights(run, capfd):
    words = ["evaluate", "imdb-lstm", "--sample", "--checkpoint", str(run)]
    edit_record(run, lambda record: record["options"].update(seed=2))
    assert main(words) == 2
    (said,) = capfd.readouterr().err.splitlines()
    assert said == f"tf1-lstm: {run / 'run.json'}: options.seed was edited; expected a run as it was written"


def test_without_seals_a_changed_loss_is_noticed_by_the_checkpoint_before_it(run, tmp_path, capfd):
    forge_without_seals(run)
    edit_log(run, lambda lines: [line.pop("series", None) for line in lines])
    assert main(["verify", str(run)]) == 0
    assert "PASS  losses: 3 losses are those that the checkpoints before them give" in capfd.readouterr().out
    losses = np.fromfile(str(run / "losses.f32"), "<f4")
    losses[4] = np.nextafter(losses[4], np.float32(1))
    losses.tofile(str(run / "losses.f32"))
    assert main(["verify", str(run)]) == 1
    assert "FAIL  losses: iteration 5: checkpoint 4 gives the loss" in capfd.readouterr().out


@pytest.mark.parametrize(
    "left", [5, pytest.param(0, marks=pytest.mark.thorough), pytest.param(20, marks=pytest.mark.thorough)]
)
def test_a_cut_series_of_losses_is_made_again_with_the_same_bits(left, run, tmp_path, trained):
    whole = (run / "losses.f32").read_bytes()
    (run / "losses.f32").write_bytes(whole[:left])
    finished = called(["resume", "run"], tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert (run / "losses.f32").read_bytes() == whole
    before, after = (RunFolder.open(folder / "run").checkpoints()[-1] for folder in (trained, tmp_path))
    assert after["weights_sha256"] == before["weights_sha256"]
    assert called(["verify", "run"], tmp_path).returncode == 0


def test_nothing_is_taken_back_where_the_checkpoint_turns_out_unreadable(run, tmp_path):
    """Its hashes fit, since they were made again, but it cannot be restored."""
    forge_without_seals(run)
    data = run / "checkpoints" / "imdb-lstm-6.index"
    for step in (2, 4, 8):
        (run / "checkpoints" / f"imdb-lstm-{step}.index").unlink()
    data.write_bytes(b"nonsense")

    def forge(lines: List[Dict[str, Any]]) -> None:
        import hashlib

        checkpoint_lines(lines)[2]["sha256"]["checkpoints/imdb-lstm-6.index"] = hashlib.sha256(
            b"nonsense"
        ).hexdigest()

    edit_log(run, forge)
    before = snapshot(run)
    finished = called(["resume", "run"], tmp_path)
    assert finished.returncode == 2
    assert snapshot(run) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", -5), ("threads", True), ("seed", -1), ("keep", "1"), ("device", "tpu"), ("start_from", 3)],
)
def test_options_out_of_range_are_refused(name, value, run, tmp_path):
    edit_record(run, lambda record: record["options"].update({name: value}))
    with pytest.raises(InputError, match=f"options.{name}: found"):
        RunFolder.open(run)


def test_a_run_without_seals_is_still_read_and_resumed(run, tmp_path):
    forge_without_seals(run)
    folder = RunFolder.open(run)
    assert not folder.is_sealed
    assert folder.edits() == []
    finished = called(["resume", "run"], tmp_path)
    assert finished.returncode == 0, finished.stderr
    finished = called(["verify", "run"], tmp_path)
    assert finished.returncode == 0
    assert "made before runs were sealed" in finished.stdout


def test_seconds_come_from_the_monotonic_clock():
    def event(name: str, time: str, elapsed: float) -> Dict[str, Any]:
        return {"event": name, "time": f"2020-01-01T{time}Z", "elapsed": elapsed}

    set_back = [event("start", "12:00:00", 1.0), event("checkpoint", "09:00:00", 6.5)]
    assert training_seconds(set_back) == 5.5
    old = [dict(e) for e in set_back]
    for e in old:
        del e["elapsed"]
    assert training_seconds(old) == 0.0


def test_a_chain_holds_every_line_in_its_place():
    lines, last = [], "first"
    for number in range(5):
        line, last = seal.sealed_line(last, {"event": "log", "n": number})
        lines.append(line)
    assert seal.broken_line("first", lines) is None
    assert seal.broken_line("other", lines) == 0
    for place in range(5):
        assert (
            seal.broken_line(
                "first", [*lines[:place], lines[place].replace("log", "lug"), *lines[place + 1 :]]
            )
            == place
        )
    assert json.loads(lines[3])["n"] == 3


def test_a_full_disk_while_logging_is_told_in_a_line(run):
    folder = RunFolder.open(run)
    (run / "losses.f32").unlink()
    (run / "losses.f32").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"losses\.f32: cannot be written: No space left on device"):
        folder.append(LOSSES, [1.0])


def test_a_run_whose_last_checkpoint_was_removed_is_neither_verified_nor_measured(trained, tmp_path):
    shutil.copytree(str(trained / "run"), str(tmp_path / "run"))
    for path in (tmp_path / "run" / "checkpoints").glob("imdb-lstm-8.*"):
        path.unlink()
    checked = called(["verify", "run"], tmp_path)
    assert checked.returncode == 1 and "FAIL  checkpoint 8: " in checked.stdout
    again = called(["reproduce", "imdb-lstm", *TRAIN[2:], "--set", "log_every=2"], tmp_path)
    assert again.returncode == 2
    assert "run: the last checkpoint, checkpoints/imdb-lstm-8, is missing" in again.stderr


def test_checkpoints_that_were_not_to_be_kept_are_not_missed(tmp_path):
    assert called([*TRAIN, "--keep", "1"], tmp_path).returncode == 0
    checked = called(["verify", "run"], tmp_path)
    assert checked.returncode == 0 and checked.stdout.count("  checkpoint ") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iterations", None),
        ("iterations", "8"),
        ("environment", 3),
        ("own_file", "mine.py"),
        ("own_file", {"name": "mine.py", "variable": "EXPERIMENT", "sha256": "0" * 64}),
    ],
)
def test_a_record_that_was_forged_with_its_seals_is_refused_by_name(name, value, run):
    def forge(record: Dict[str, Any]) -> None:
        record[name] = value
        record["seal"] = seal.seals_of(record)

    edit_record(run, forge)
    with pytest.raises(InputError, match=f"run.json: {name}: found"):
        RunFolder.open(run)


def test_a_file_of_the_data_that_is_gone_is_noticed(run, tmp_path):
    forged = {"idsMatrixGone.npy": "0" * 64}

    def forge(record: Dict[str, Any]) -> None:
        record["data"].update(forged)
        record["seal"] = seal.seals_of(record)

    edit_record(run, forge)
    checked = called(["verify", "run"], tmp_path)
    assert checked.returncode == 1
    assert (
        "idsMatrixGone.npy: changed since the run began: none found, SHA-256 0000000000000000…"
        in checked.stdout
    )


def test_the_largest_seed_makes_a_run_that_can_be_read(tmp_path):
    seed = str(2**63 - 1)
    assert called([*TRAIN[:-4], "--iterations", "1", "--seed", seed], tmp_path).returncode == 0
    assert called(["verify", "run"], tmp_path).returncode == 0
    assert RunFolder.open(tmp_path / "run").record["options"]["seed"] == int(seed)


@pytest.mark.parametrize("value", ["0.5", [0.5], True])
def test_a_figure_that_is_no_number_is_refused_by_its_line(value, run):
    forge_without_seals(run)
    edit_log(run, lambda lines: next(x for x in lines if x["event"] == "log").update(loss=value))
    with pytest.raises(InputError, match=r"log\.jsonl: line \d+: loss: found"):
        RunFolder.open(run).events()
