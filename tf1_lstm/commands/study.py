"""The command ``study``: many seeds of many settings, as jobs, and the table with the verdicts."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Set, Tuple

from tf1_lstm.commands.options import add_data_options, add_wait_option, at_least
from tf1_lstm.errors import InputError

if TYPE_CHECKING:
    from tf1_lstm.runs.study import Job, State, Study
    from tf1_lstm.runs.study_jobs import JobOptions


EXAMPLES = """\
examples:
  tf1-lstm study plan studies/mnist.json --root runs/mnist
  tf1-lstm study run studies/mnist.json --root runs/mnist
  tf1-lstm study table studies/mnist.json --root runs/mnist"""


def add_parser(subparsers: Any) -> None:
    """Add ``study`` with its four verbs."""
    parser = subparsers.add_parser(
        "study",
        help="many seeds of many settings, on any number of machines, and a verdict on what was published",
        description="A study is a JSON file of cells (a recipe, seeds, settings). Every job of it is one "
        "`reproduce --run` with one thread, which may be killed and started again at any time. Example: "
        "`tf1-lstm study run studies/mnist.json --root runs/mnist`.",
    )
    verbs = parser.add_subparsers(metavar="VERB", title="verbs")
    verbs.required = True
    verbs.dest = "verb"
    plan = _verb(verbs, "plan", "list the jobs: number, state, expected time, folder")
    plan.add_argument("--json", action="store_true", help="print one JSON document")
    add_data_options(plan)

    every = _verb(verbs, "run", "bring every job to its end on this machine's cores, one thread a job")
    add_data_options(every)
    _add_job_options(every)
    every.add_argument(
        "--jobs", type=at_least(1), metavar="N", dest="at_once", help="at a time (default: one a core)"
    )
    every.add_argument("--json", action="store_true", help="print one JSON document: how far every job is")

    job = _verb(verbs, "job", "bring one job to its end; what a scheduler calls")
    job.add_argument("number", type=at_least(1), metavar="N", help="as `study plan` numbers them, from 1")
    add_data_options(job)
    _add_job_options(job)
    add_wait_option(job)
    job.add_argument("--json", action="store_true", help="print one JSON document: how far the job is")

    table = _verb(verbs, "table", "write table and pictures of whatever is done")
    table.add_argument("--out", type=Path, metavar="DIR", help="where to (default: ROOT/table)")
    table.add_argument(
        "--more-roots",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="other folders of runs, for jobs that are not done below --root",
    )
    table.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    add_data_options(table)
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Do what the verb says."""
    verbs = {"plan": _plan, "run": _run_all, "job": _job, "table": _table}
    return verbs[options.verb](options)


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.add_argument("study", type=Path, metavar="FILE", help="the study's JSON file")
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder of all its runs")
    return parser


def _add_job_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ports-python",
        metavar="PYTHON",
        help="trains the cells whose engine is port (default: .venv-ports)",
    )


def _plan(options: argparse.Namespace) -> int:
    """List the jobs."""
    from tf1_lstm.core.text_table import text_table
    from tf1_lstm.report.tables import duration
    from tf1_lstm.runs.study_times import expected_seconds

    study, jobs, states = _opened(options)
    other = _name_other_data(options, jobs)
    seconds = expected_seconds(jobs, states)
    if options.json:
        listed = [
            {**_document(job, state), "seconds_left": left, "other_data": job.number in other}
            for job, state, left in zip(jobs, states, seconds)
        ]
        print(json.dumps({"study": study.name, "jobs": listed}, indent=1, ensure_ascii=False))
        return 0
    rows = [
        [str(job.number), _word(state), "-" if left is None else duration(left), str(job.folder)]
        for job, state, left in zip(jobs, states, seconds)
    ]
    print(text_table(("job", "state", "time left", "folder"), rows, right=(0, 2)))
    known = [left for left in seconds if left is not None]
    if known:
        rest = "" if len(known) == len(seconds) else f", and {len(seconds) - len(known)} of unknown time"
        print(f"\nabout {duration(sum(known))} of one core{rest}")
    return 0


def _document(job: "Job", state: "State") -> Dict[str, Any]:
    return {
        "job": job.number,
        "recipe": job.cell.recipe,
        "settings": job.cell.settings,
        "engine": job.cell.engine or "exact",
        "seed": job.seed,
        "state": state.word,
        "share": round(state.share, 4),
        "folder": str(job.folder),
    }


def _name_other_data(options: argparse.Namespace, jobs: "Sequence[Job]") -> Set[int]:
    """Hold begun jobs against the data folder that is named, if one is; the numbers of those that differ."""
    from tf1_lstm.runs.study_data import jobs_on_other_data

    if options.data is None and not options.sample:
        return set()
    other = jobs_on_other_data(jobs, options.data, options.sample)
    where = "the sample" if options.sample else options.data
    for job, name in other:
        print(
            f"tf1-lstm: job {job.number} was begun on other data: {name} is not that of {where}",
            file=sys.stderr,
        )
    return {job.number for job, _ in other}


def _word(state: "State") -> str:
    partial = 0 < state.share < 1
    return f"{state.word}, {100 * state.share:.0f} %" if partial else state.word


def _run_all(options: argparse.Namespace) -> int:
    """Bring every job to its end."""
    from tf1_lstm.runs.environment import available_cores
    from tf1_lstm.runs.study_jobs import run_all
    from tf1_lstm.runs.study_times import expected_seconds

    study, jobs, states = _opened(options)
    seconds = expected_seconds(jobs, states)
    whole = [one / max(0.01, 1 - state.share) if one else None for one, state in zip(seconds, states)]
    # Where one time is unknown, every job counts alike in the display.
    weights = [one or 1.0 for one in whole] if all(whole) else [1.0] * len(jobs)
    at_once = options.at_once or available_cores()
    print(f"{study.name}: {len(jobs)} jobs, {at_once} at a time, one thread each", file=sys.stderr)
    report = run_all(jobs, _job_options(options), at_once, weights)
    if options.json:
        _, jobs, states = _opened(options)
        listed = [_document(job, state) for job, state in zip(jobs, states)]
        print(json.dumps({"study": study.name, "jobs": listed}, indent=1, ensure_ascii=False))
    again = f"`tf1-lstm study run {options.study} --root {options.root}` goes on"
    if report.signal_number is not None:
        print(f"tf1-lstm: stopped, {len(report.done)} of {len(jobs)} jobs done; {again}", file=sys.stderr)
        return 128 + report.signal_number
    print(f"{len(report.done)} of {len(jobs)} jobs done", file=sys.stderr)
    for job, code in report.failed:
        print(
            f"tf1-lstm: job {job.number} failed with exit code {code}: {_last_line(job)} ({job.folder}.log)",
            file=sys.stderr,
        )
    if report.failed:
        return max(code for _, code in report.failed)
    print(f"`tf1-lstm study table {options.study} --root {options.root}` writes the table", file=sys.stderr)
    return 0


def _last_line(job: "Job") -> str:
    try:
        lines = Path(f"{job.folder}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next(
        (line for line in reversed(lines) if line.startswith("tf1-lstm:")), lines[-1] if lines else ""
    )


def _job(options: argparse.Namespace) -> int:
    """Bring one job to its end."""
    from tf1_lstm.runs.study import state_of
    from tf1_lstm.runs.study_jobs import run_job as run_one

    _, jobs, _ = _opened(options)
    if options.number > len(jobs):
        raise InputError(f"{options.study}: job {options.number}: expected 1 to {len(jobs)}")
    job = jobs[options.number - 1]
    code = run_one(job, _job_options(options), options.wait)
    if options.json:
        print(json.dumps(_document(job, state_of(job)), indent=1, ensure_ascii=False))
    return code


def _table(options: argparse.Namespace) -> int:
    """Write table and pictures."""
    from tf1_lstm.runs.study import first_done
    from tf1_lstm.runs.study_table import write_study_table

    study, jobs, _ = _opened(options)
    _name_other_data(options, jobs)
    others = [study.jobs(root) for root in options.more_roots]
    jobs = [first_done(same) for same in zip(jobs, *others)]
    found = write_study_table(study, jobs, options.out or options.root / "table")
    if options.json:
        print(json.dumps(found.documents, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print(found.text)
    for path in found.paths:
        print(path, file=sys.stderr)
    return 0


def _opened(options: argparse.Namespace) -> "Tuple[Study, List[Job], Sequence[State]]":
    from tf1_lstm.runs.study import read_study, state_of
    from tf1_lstm.runs.study_data import check_cells

    study = read_study(options.study)
    check_cells(study.cells, options.study)
    jobs = study.jobs(options.root)
    return study, jobs, [state_of(job) for job in jobs]


def _job_options(options: argparse.Namespace) -> "JobOptions":
    from tf1_lstm.runs.study_jobs import JobOptions

    ports = options.ports_python
    if ports is None:
        beside = Path(__file__).resolve().parents[2] / ".venv-ports" / "bin" / "python"
        ports = str(beside) if beside.exists() else None
    return JobOptions(options.data, options.sample, ports)
