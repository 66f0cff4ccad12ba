"""Many checkpoints in one process say of each what a process of its own says."""

import json
import shutil

import pytest

from tf1_lstm.cli import main
from tf1_lstm.runs.restore_many import ManyCheckpoints
from tf1_lstm.runs.start import start_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs with other widths, of three checkpoints each, and a broken one."""
    folder = tmp_path_factory.mktemp("many")
    for units in (8, 5):
        settings = {"iterations": 6, "save_every": 2, "units": units}
        start_run(
            "mnist-rnn", sample=True, settings=settings, run=folder / f"run{units}", progress=False, threads=1
        )
    broken = folder / "broken"
    shutil.copytree(folder / "run8", broken)
    data = broken / "checkpoints" / "mnist-rnn-4.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-100])
    paths = [
        folder / name / "checkpoints" / f"mnist-rnn-{step}" for name in ("run8", "run5") for step in (2, 4, 6)
    ]
    listed = [*map(str, paths), str(broken / "checkpoints" / "mnist-rnn-4")]
    (folder / "list.txt").write_text("\n".join(listed))
    return folder


def lines(text):
    return {line["path"]: line for line in map(json.loads, text.splitlines())}


def test_evaluate_of_a_list_is_evaluate_of_each(folder, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    command = ["evaluate", "mnist-rnn", "--list", str(folder / "list.txt"), "--out", str(out)]
    assert main(command) == 2  # one is broken
    assert "1 of 7 cannot be used" in capsys.readouterr().err
    found = lines(out.read_text())
    assert len(found) == 7
    broken = found.pop(str(folder / "broken" / "checkpoints" / "mnist-rnn-4"))
    assert "error" in broken
    for path in list(found)[1::2]:
        assert main(["evaluate", "mnist-rnn", "--checkpoint", path, "--json"]) == 0
        single = json.loads(capsys.readouterr().out)
        assert {name: found[path][name] for name in single} == single
    size = out.stat().st_size
    assert main(command) == 2
    assert "6 of them known before" in capsys.readouterr().err
    again = out.read_text()[size:].splitlines()
    assert len(again) == 1 and "error" in json.loads(again[0])
    assert main([*command, "--dropout", "on"]) == 2
    assert "expected another file" in capsys.readouterr().err


def test_one_graph_serves_all_checkpoints_of_the_same_settings(folder):
    with ManyCheckpoints("mnist-rnn") as many:
        digests = [
            many.restore(str(folder / name / "checkpoints" / f"mnist-rnn-{step}")).facts["weights_sha256"]
            for name in ("run8", "run5")
            for step in (2, 4, 6)
        ]
        assert many.graphs == 2
    assert len(set(digests)) == 6


def test_inspect_of_shards_is_inspect_of_all(folder, capsys):
    paths = (folder / "list.txt").read_text().splitlines()[:6]
    for shard in ("1/2", "2/2"):
        assert main(["inspect", *paths, "--shard", shard]) == 0
    found = lines(capsys.readouterr().out)
    assert set(found) == set(paths)
    assert main(["inspect", paths[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found[paths[0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect"], "no path; expected one at least"),
        (["inspect", "--list", "none.txt"], "none.txt: cannot be read"),
        (["evaluate", "mnist-rnn"], "no path; expected one at least"),
        (["inspect", "a", "b", "--shard", "3/2"], "--shard: found '3/2'"),
    ],
)
def test_wrong_usage_is_one_line(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
