"""Run the jobs of a study: one, or all of them on this machine's cores.

Each job is one ``tf1-lstm reproduce --run FOLDER`` in a process of its own with one thread. That is
idempotent: it begins a training, goes on with one, or measures one that has ended. So a scheduler may
kill it, start it again, or start it twice: the second waits its turn, and nothing is ever deleted.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from tqdm.auto import tqdm

from tf1_lstm.core.children import python_command
from tf1_lstm.errors import InputError, InUseError
from tf1_lstm.runs.interruption import Interruption
from tf1_lstm.runs.locks import held
from tf1_lstm.runs.study import DONE, PORT, Job, state_of

IN_USE_CODE = InUseError.exit_code
# Seconds between two looks at the jobs, and before one that another process has is asked again.
LOOK, AGAIN = 0.5, 10.0


class JobOptions(NamedTuple):
    """What every job of a study is started with.

    Attributes:
      data: the data folder; None for the default.
      sample: use the embedded sample.
      ports_python: the Python that trains ports.
    """

    data: Optional[Path] = None
    sample: bool = False
    ports_python: Optional[str] = None


def command_of(job: Job, options: JobOptions) -> List[str]:
    """The words that train and measure a job, or do what is left of it."""
    words = [job.cell.recipe, "--seed", str(job.seed), "--threads", "1"]
    for name, text in job.cell.typed_settings.items():
        words += ["--set", f"{name}={text}"]
    if options.data is not None:
        words += ["--data", str(options.data)]
    if options.sample:
        words.append("--sample")
    if job.cell.engine == PORT:
        if options.ports_python is None:
            raise InputError("engine port: expected --ports-python, a Python with Keras or PyTorch")
        out = ["--out", str(job.folder / "results.json")]
        return python_command("tf1_lstm.parity.ports.train", *words, *out, python=options.ports_python)
    if job.cell.engine is not None:
        words += ["--engine", job.cell.engine]
    return python_command("tf1_lstm", "reproduce", *words, "--run", str(job.folder))


def run_job(job: Job, options: JobOptions, wait: float = 0.0) -> int:
    """Bring one job to its end, whatever was done of it before.

    SIGTERM and Ctrl-C are passed on: the training ends with a checkpoint.

    Args:
      job: of a study.
      options: how.
      wait: seconds to wait for another process that has it.

    Returns:
      0 where it is done; 75 where another process has it; else the exit code of what failed.
    """
    until = time.monotonic() + wait
    with Interruption() as interruption:
        while True:
            if state_of(job).word == DONE:
                print(f"job {job.number}: done", file=sys.stderr)
                return 0
            code = _run_once(job, options, interruption)
            if code != IN_USE_CODE or time.monotonic() >= until:
                return code
            time.sleep(LOOK)


def _run_once(job: Job, options: JobOptions, interruption: Interruption) -> int:
    try:
        process = _start(job, options, None)
    except InUseError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        return IN_USE_CODE
    while process.poll() is None:
        if interruption.signal_number is not None:
            _stop([process], interruption.signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK)
    return _code(job, process)


def _code(job: Job, process: "subprocess.Popen[bytes]") -> int:
    """A job's exit code: 1 (a figure that does not hold) counts as done where the job is."""
    code = process.returncode
    if code in (0, 1):
        return 0 if state_of(job).word == DONE else code or 1
    return 128 - code if code < 0 else code


class Report(NamedTuple):
    """How ``run_all`` ended.

    Attributes:
      done: jobs that are done, those of before included.
      failed: jobs that ended otherwise, with their exit codes.
      left: jobs that were not begun, or were stopped.
      signal_number: what stopped it, or None.
    """

    done: List[Job]
    failed: List[Tuple[Job, int]]
    left: List[Job]
    signal_number: Optional[int]


def run_all(
    jobs: Sequence[Job], options: JobOptions, at_once: int, weights: Sequence[float], progress: bool = True
) -> Report:
    """Bring every job to its end, ``at_once`` at a time, in their order.

    Args:
      jobs: of one study.
      options: for all of them.
      at_once: processes, one thread each.
      weights: of each job in the progress display, e.g. its expected seconds.
      progress: show a bar for the whole study on standard error.
    """
    by_number = {job.number: weight for job, weight in zip(jobs, weights)}
    return _Runner(jobs, options, at_once, by_number, progress).run()


class _Runner:
    """One call of ``run_all``."""

    def __init__(
        self,
        jobs: Sequence[Job],
        options: JobOptions,
        at_once: int,
        weights: Dict[int, float],
        progress: bool,
    ) -> None:
        self._jobs, self._options, self._at_once = list(jobs), options, at_once
        self._weights, self._progress = weights, progress
        self._running: Dict[int, Any] = {}
        self._not_before: Dict[int, float] = {}
        self._failed: List[Tuple[Job, int]] = []
        self._shares: Dict[int, float] = {}
        self._done: List[Job] = []
        self._waiting: List[Job] = []
        for job in jobs:
            state = state_of(job)
            self._shares[job.number] = state.share
            (self._done if state.word == DONE else self._waiting).append(job)

    def run(self) -> Report:
        with Interruption() as interruption, self._bar() as bar:
            while (self._waiting or self._running) and interruption.signal_number is None:
                self._start_some()
                self._wait(bar)
            if interruption.signal_number is not None:
                _stop([process for _, process in self._running.values()], interruption.signal_number)
            for job, process in list(self._running.values()):
                process.wait()
                self._ended(job, process)
        failed = [job for job, _ in self._failed]
        left = [job for job in self._jobs if job not in self._done and job not in failed]
        return Report(self._done, self._failed, left, interruption.signal_number)

    def _start_some(self) -> None:
        now = time.monotonic()
        for job in list(self._waiting):
            if len(self._running) >= self._at_once:
                return
            if self._not_before.get(job.number, 0) <= now:
                self._waiting.remove(job)
                try:
                    with _log_of(job) as log:
                        self._running[job.number] = job, _start(job, self._options, log)
                except InUseError:
                    self._later(job)

    def _wait(self, bar: Any) -> None:
        time.sleep(LOOK)
        for job, process in list(self._running.values()):
            if process.poll() is not None:
                self._ended(job, process)
        self._show(bar)

    def _ended(self, job: Job, process: "subprocess.Popen[bytes]") -> None:
        del self._running[job.number]
        code = _code(job, process)
        if code == 0:
            self._done.append(job)
        elif code == IN_USE_CODE:
            self._later(job)
        elif code not in (130, 143):
            self._failed.append((job, code))
            tqdm.write(f"job {job.number}: exit code {code}; see {job.folder}.log", file=sys.stderr)

    def _later(self, job: Job) -> None:
        """Another process has it, perhaps one that a killed scheduler left behind: it goes on alone."""
        if state_of(job).word == DONE:
            self._done.append(job)
            return
        self._not_before[job.number] = time.monotonic() + AGAIN
        self._waiting.append(job)

    def _bar(self) -> Any:
        bar = tqdm(
            total=sum(self._weights.values()),
            disable=not self._progress,
            mininterval=LOOK if sys.stderr.isatty() else 30,
            bar_format="{percentage:3.0f} %|{bar}| {elapsed} gone, about {remaining} left{postfix}",
            smoothing=0,
        )
        bar.initial = bar.n = self._amount()
        return bar

    def _show(self, bar: Any) -> None:
        bar.set_postfix_str(
            f"{len(self._done)}/{len(self._jobs)} done, {len(self._running)} running", refresh=False
        )
        bar.update(max(0.0, self._amount() - bar.n))

    def _amount(self) -> float:
        """The weight of all that is done, running trainings by their iterations."""
        for job, _ in self._running.values():
            self._shares[job.number] = min(0.99, state_of(job).share)
        self._shares.update({job.number: 1.0 for job in self._done})
        return sum(self._weights[number] * share for number, share in self._shares.items())


@contextlib.contextmanager
def _log_of(job: Job) -> Iterator[IO[bytes]]:
    """What a job prints is kept beside its run folder."""
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{job.folder}.log", "ab") as stream:
        yield stream


def _start(job: Job, options: JobOptions, log: Optional[IO[bytes]]) -> "subprocess.Popen[bytes]":
    """Start a job in a session of its own: a terminal's Ctrl-C reaches it through us alone, once."""
    command = command_of(job, options)
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    if job.cell.engine == PORT:
        with held(job.folder) as lent:
            return _popen(command, log, lent)
    return _popen(command, log, {"env": dict(os.environ)})  # ``reproduce`` locks its run by itself.


def _popen(command: List[str], log: Optional[IO[bytes]], more: Dict[str, Any]) -> "subprocess.Popen[bytes]":
    more["env"]["OMP_NUM_THREADS"] = "1"
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log if log is not None else sys.stderr.fileno(),
        stderr=subprocess.STDOUT if log is not None else None,
        start_new_session=True,
        **more,
    )


def _stop(processes: Sequence["subprocess.Popen[bytes]"], number: int) -> None:
    """Pass a signal on, once to each process; its children get it from it."""
    for process in processes:
        if process.poll() is None and not getattr(process, "was_stopped", False):
            process.send_signal(number)
            process.was_stopped = True  # type: ignore[attr-defined]
