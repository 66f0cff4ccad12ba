"""Results files of ports, and what a run's says of its epochs: read safely."""

import json

import pytest

from tests.report.examples import epoch_results, make_results, port_results
from tf1_lstm.errors import InputError
from tf1_lstm.report.documents import read_port_results, read_results, read_results_folder


def write(path, document):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_documents_of_epochs_and_of_ports_survive_the_way_through_a_file(tmp_path):
    assert read_results(write(tmp_path / "a.json", epoch_results())) == epoch_results()
    assert read_port_results(write(tmp_path / "b.json", port_results())) == port_results()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.update(epochs=7), "epochs: found int '7'"),
        (lambda d: d["epochs"].pop("split"), "epochs.split is missing"),
        (lambda d: d["epochs"]["measured"].pop("best_epoch"), "epochs.measured.best_epoch is missing"),
        (lambda d: d["epochs"]["published"].update(best_loss="x"), "epochs.published.best_loss: found str"),
    ],
)
def test_bad_epochs_are_refused_with_their_place(tmp_path, damage, message):
    document = epoch_results()
    damage(document)
    with pytest.raises(InputError, match=message):
        read_results(write(tmp_path / "bad.json", document))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: d.pop("framework"), "framework is missing"),
        (lambda d: d.update(format=2), "found results format 2, expected 1"),
        (lambda d: d["log"][1].pop("epoch"), r"log\[1\].epoch is missing"),
        (lambda d: d["evaluations"][0].update(accuracy=84), "accuracy: found 84, expected 0 to 1"),
        (lambda d: d["evaluations"][0].update(examples=0), "examples: found 0"),
        (lambda d: d.update(deviations={"epochs": 3}), "deviations.epochs: found 3"),
    ],
)
def test_a_bad_document_of_a_port_is_refused_with_file_and_place(tmp_path, damage, message):
    document = port_results()
    damage(document)
    path = write(tmp_path / "port-bad.json", document)
    with pytest.raises(InputError, match=message) as caught:
        read_port_results(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_port_is_not_taken_for_a_run_nor_a_run_for_a_port(tmp_path):
    write(tmp_path / "port-imdb-lstm32-seed1.json", port_results())
    run = write(tmp_path / "imdb-lstm32-seed1.json", epoch_results())
    assert read_results_folder(tmp_path) == ({run: epoch_results()}, [port_results()])
    write(tmp_path / "port-b.json", make_results())
    with pytest.raises(InputError, match=r"port-b\.json: framework is missing"):
        read_results_folder(tmp_path)
    (tmp_path / "port-b.json").unlink()
    write(tmp_path / "b.json", port_results())
    with pytest.raises(InputError, match=r"/b\.json: iterations is missing"):
        read_results_folder(tmp_path)
