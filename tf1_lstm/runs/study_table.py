"""From a study's run folders to its table: gather what is done, judge it, write it, draw it."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, sha256_of_file
from tf1_lstm.report.documents import Document, read_port_results, read_results
from tf1_lstm.report.study_pictures import curves_with_bands, strip_plot
from tf1_lstm.report.study_report import (
    Provenance,
    engine_of,
    is_sample,
    mixtures,
    provenance,
    text_report,
    write_reports,
)
from tf1_lstm.report.study_rows import CellResults, reference_of, row_document, study_rows
from tf1_lstm.runs.study import PORT, RESULTS, Job, Study, results_of


class Written(NamedTuple):
    """What ``write_study_table`` made.

    Attributes:
      documents: the rows as JSON.
      text: the table for a terminal.
      paths: of the files.
    """

    documents: List[Dict[str, Any]]
    text: str
    paths: List[Path]


def write_study_table(study: Study, jobs: Sequence[Job], folder: Path) -> Written:
    """Write Markdown, CSV, JSON and pictures of all jobs that are done.

    Args:
      study: read from its file.
      jobs: all of its jobs.
      folder: where to write.

    Raises:
      InputError: no job is done, results cannot be what they say, two seeds of a cell have equal weights, or a
        file cannot be written.
    """
    cells: List[CellResults] = []
    made: List[Provenance] = []
    missing = 0
    for cell in study.cells:
        documents: List[Document] = []
        for job in jobs:
            if job.cell != cell:
                continue
            if results_of(job) is None:
                missing += 1
                continue
            read = read_port_results if cell.engine == PORT else read_results
            document = read(job.folder / RESULTS, errors=True)
            documents.append(document)
            digest = sha256_of_file(job.folder / RESULTS)
            made.append(provenance(len(cells), document, digest, other_processors(job)))
        if documents:
            engine = cell.engine or engine_of(documents[0])
            reference = reference_of(documents[0]["recipe"] if ":" not in cell.recipe else cell.recipe)
            cells.append(CellResults(cell.recipe, cell.settings, engine, documents, reference))
    if not cells:
        raise InputError(f"{study.name}: none of its {len(jobs)} jobs is done; expected at least one")
    rows = study_rows(cells)
    sample = is_sample(cells)
    pictures = [strip_plot(cells, rows, folder / f"{study.name}-seeds.png", study.name, sample)]
    for number, found in enumerate(cells, 1):
        path = folder / f"{study.name}-curves-{number}.png"
        pictures.append(curves_with_bands(found, path, sample))
    drawn = [path for path in pictures if path is not None]
    paths = write_reports(folder, study.name, cells, rows, made, missing, drawn)
    text = text_report(cells, rows, mixtures(cells, made))
    if missing:
        text += f"\n{missing} of {len(jobs)} jobs are not done yet."
    return Written([row_document(row, cells[row.cell]) for row in rows], text, [*paths, *drawn])


def other_processors(job: Job) -> List[str]:
    """Processors that went on with a training and are not the one that began it."""
    path = job.folder / "run.json"
    if not path.is_file():
        return []
    environments = read_json(path).get("resumed_on", [])
    return [str(one) for one in environments]
