"""A run folder: everything that one training is and was, readable without this program.

Layout, all paths relative to the folder:

- ``run.json``: recipe, every setting, seeds, environment, data hashes, start and end, checkpoints, and
  the seal of all this (``runs.seal``).
- ``log.jsonl``: one event a line, each with its seal; the keys are listed in docs/run-folder.md.
- ``losses.f32``: the training loss of every iteration, little-endian float32, in order.
- ``accuracies.f32``: likewise the training accuracy, where the means of epochs are logged.
- ``checkpoints/``: ``RECIPE-STEP.*`` by ``tf.train.Saver`` and its ``checkpoint`` file.
- ``events/``: TensorBoard scalars.
- pictures, ``curves.csv`` and, after ``reproduce``, ``results.json`` and ``report.html``.
"""

import calendar
import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import parse_json, read_json, replacing, sha256_of_file, write_json
from tf1_lstm.runs import seal
from tf1_lstm.runs.checks import CHECKPOINTS, check_event, check_record, is_hash
from tf1_lstm.runs.locks import hold

FORMAT, UNSEALED = 2, 1  # runs of format 1 were written before there were seals; they can be read and resumed
LOSSES, ACCURACIES = "losses", "accuracies"
TIMED = ("start", "resume", "checkpoint")  # events with the seconds since the process began with the run
MOST_LOG_BYTES = 1 << 30


class RunFolder:
    """One run on disk. ``create`` or ``open`` it; writing needs ``lock`` first.

    Attributes:
      path: the folder.
      record: what ``run.json`` holds.
    """

    def __init__(self, path: Path, record: Dict[str, Any]) -> None:
        self.path = path
        self.record = record
        self._lock: Optional[IO[str]] = None
        self._log: Optional[IO[str]] = None
        self._series: Dict[str, IO[bytes]] = {}
        self._seal: Optional[str] = None  # of the last line of the log
        self._begun = time.monotonic()

    @classmethod
    def create(cls, path: Path, record: Dict[str, Any]) -> "RunFolder":
        """Make a new run and lock it.

        Raises:
          InputError: the folder holds something already, or cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            foreign = sorted(entry.name for entry in path.iterdir() if entry.name != ".lock")
        except OSError as error:
            raise InputError(f"{path}: cannot be used as a run folder: {error.strerror or error}") from error
        if foreign:
            hint = f"; `tf1-lstm resume {path}` goes on with it" if "run.json" in foreign else ""
            raise InputError(f"{path}: expected a new or empty folder, found {foreign[0]} in it{hint}")
        run = cls(path, {"format": FORMAT, "id": seal.identity(record), **record})
        run.lock()
        run.save_record()
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Read an existing run.

        Raises:
          InputError: no run there, one of another format, or one whose record cannot be what it says.
        """
        if not (path / "run.json").is_file():
            raise InputError(f"{path}: no run.json in it; expected the folder of a run")
        record = read_json(path / "run.json")
        if not isinstance(record, dict) or record.get("format") not in (FORMAT, UNSEALED):
            found = record.get("format") if isinstance(record, dict) else type(record).__name__
            raise InputError(f"{path / 'run.json'}: found format {found!r:.60}, expected {FORMAT}")
        check_record(str(path / "run.json"), record)
        return cls(path, record)

    @property
    def is_sealed(self) -> bool:
        """Whether the run was made with seals."""
        return bool(self.record["format"] != UNSEALED)

    def lock(self, wait: float = 0.0) -> None:
        """Keep every other process out until this one ends.

        Args:
          wait: seconds to wait for a process that is writing to this run.

        Raises:
          InUseError: another process is writing to this run.
          InputError: it cannot be locked, or part of it is a link to elsewhere.
        """
        for name in (CHECKPOINTS, "events", "run.json", "log.jsonl", *self._series_names(), ".lock"):
            if (self.path / name).is_symlink():
                raise InputError(
                    f"{self.path / name}: found a link, expected a file or folder of the run itself"
                )
        self._lock = hold(self.path, wait)
        if wait:  # Whoever had it may have changed it.
            self.record = RunFolder.open(self.path).record

    def save_record(self, **changes: Any) -> None:
        """Update ``run.json`` in one step, with a seal that fits."""
        self.record.update(changes)
        if self.is_sealed:
            if self._seal is not None:
                self.record["log_seal"] = self._seal
            self.record[seal.SEAL] = seal.seals_of(self.record)
        write_json(self.path / "run.json", self.record)

    def log(self, event: str, **values: Any) -> None:
        """Append one event to ``log.jsonl`` and flush it.

        Raises:
          InputError: the disk is full or the file cannot be written.
        """
        document = {"event": event, "time": utc_now(), **values}
        if event in TIMED:
            document["elapsed"] = round(time.monotonic() - self._begun, 3)
        line = json.dumps(document, allow_nan=False)
        if self.is_sealed:
            line, self._seal = seal.sealed_line(self._last_seal(), document)
        try:
            if self._log is None:
                self._log = open(self.path / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 (open for the run)
            self._log.write(line + "\n")
            self._log.flush()
        except OSError as error:
            raise _unwritable(self.path / "log.jsonl", error) from error

    def append(self, series: str, values: List[float]) -> None:
        """Append one float32 for each iteration to ``SERIES.f32``.

        Raises:
          InputError: the disk is full or the file cannot be written.
        """
        try:
            if series not in self._series:
                self._series[series] = open(self._series_path(series), "ab")  # noqa: SIM115 (open for the run)
            self._series[series].write(np.asarray(values, dtype="<f4").tobytes())
            self._series[series].flush()
        except OSError as error:
            raise _unwritable(self._series_path(series), error) from error

    def sync(self) -> None:
        """Bring log and losses to the disk, so that no checkpoint is ahead of them after a power loss."""
        for stream in (self._log, *self._series.values()):
            if stream is not None:
                os.fsync(stream.fileno())

    def close(self) -> None:
        """Close the files and let others in."""
        for stream in (self._log, *self._series.values(), self._lock):
            if stream is not None:
                with suppress(OSError):  # a full disk has been told when it was written to
                    stream.close()
        self._log = self._lock = None
        self._series = {}

    def events(self) -> List[Dict[str, Any]]:
        """Read the events logged so far; a last line that was cut off by a crash is left out.

        Raises:
          InputError: a line before the last is not an event, or one names files outside of the run.
        """
        path = self.path / "log.jsonl"
        lines = self._lines()
        found: List[Dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            try:
                event = parse_json(line)
            except ValueError as error:
                if number == len(lines):
                    break
                raise InputError(f"{path}: line {number} is not JSON ({line[:40]!r})") from error
            check_event(f"{path}: line {number}", event)
            event.pop(seal.SEAL, None)  # checked as text, in ``edits``
            found.append(event)
        return found

    def _lines(self) -> List[str]:
        path = self.path / "log.jsonl"
        if not path.is_file():
            return []
        try:
            if path.stat().st_size > MOST_LOG_BYTES:
                raise InputError(
                    f"{path}: found more than {MOST_LOG_BYTES:,} bytes, expected the log of a run"
                )
            return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] or []
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error

    def edits(self) -> List[str]:
        """What was edited since the run wrote it, a line for each; none in a run without seals."""
        path, lines = self.path / "log.jsonl", self._lines()
        if not self.is_sealed:
            return ["run.json: format was edited"] if any(map(seal.seal_of_line, lines)) else []
        found = [f"run.json: {name} was edited" for name in seal.edited_values(self.record)]
        broken = seal.broken_line(str(self.record.get("id")), lines)
        if broken is not None:
            found.append(
                f"{path.name}: line {broken + 1} was edited, or one before it was put in or taken out"
            )
        last = self.record.get("log_seal")
        if broken is None and last is not None and last not in map(seal.seal_of_line, lines):
            found.append(f"{path.name}: its end is missing, to which run.json refers")
        return found

    def check_unedited(self) -> None:
        """Refuse a run that was edited.

        Raises:
          InputError: naming what was edited.
        """
        edits = self.edits()
        if edits:
            more = f" (and {len(edits) - 1} more)" if edits[1:] else ""
            raise InputError(f"{self.path}: {edits[0]}{more}; expected a run as it was written")

    def _last_seal(self) -> str:
        if self._seal is None:
            seals = [found for found in map(seal.seal_of_line, self._lines()) if found]
            self._seal = seals[-1] if seals else str(self.record["id"])
        return self._seal

    def losses(self) -> np.ndarray:
        """Read the loss of every iteration so far, float32 [iterations]."""
        return self.series(LOSSES)

    def series(self, name: str) -> np.ndarray:
        """Read one number of every iteration so far (``LOSSES`` or ``ACCURACIES``), float32 [iterations]."""
        path = self._series_path(name)
        data = path.read_bytes() if path.is_file() else b""
        return np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")

    def series_sha256(self, step: int) -> Dict[str, str]:
        """SHA-256 of the first ``step`` numbers of each series, for the seal of a checkpoint."""
        names = [name for name in (LOSSES, ACCURACIES) if self._series_path(name).is_file()]
        return {name: _sha256(self.series(name)[:step]) for name in names}

    def _series_path(self, name: str) -> Path:
        return self.path / f"{name}.f32"

    @staticmethod
    def _series_names() -> Tuple[str, ...]:
        return tuple(f"{name}.f32" for name in (LOSSES, ACCURACIES))

    def rewind(self, step: int) -> None:
        """Forget everything after ``step`` iterations: logged figures, losses, later checkpoints.

        Raises:
          InputError: the run was edited or a series is shorter; nothing has been changed then.
        """
        self.check_unedited()
        kept = [
            event
            for event in self.events()
            if event["event"] not in ("log", "checkpoint", "validation")
            or event.get("step", event.get("iteration", 0)) <= step
        ]
        series = {
            name: self.series(name) for name in (LOSSES, ACCURACIES) if self._series_path(name).is_file()
        }
        for name, values in {LOSSES: self.losses(), **series}.items():
            if len(values) < step:
                raise InputError(
                    f"{self._series_path(name)}: {len(values):,} {name} found, {step:,} expected"
                )
        # The record must never refer to an end of the log that is no longer there.
        self._seal = None
        self.save_record(ended=None, **({"log_seal": None} if self.is_sealed else {}))
        self._seal = str(self.record.get("id"))
        with replacing(self.path / "log.jsonl", "w") as stream:
            for event in kept:
                stream.write(self._line(event) + "\n")
        for name, values in series.items():
            with replacing(self._series_path(name)) as stream:
                stream.write(values[:step].tobytes())

    def _line(self, event: Dict[str, Any]) -> str:
        if not self.is_sealed:
            return json.dumps(event, allow_nan=False)
        line, self._seal = seal.sealed_line(str(self._seal), event)
        return line

    def logged_checkpoints(self) -> List[Dict[str, Any]]:
        """List the checkpoint events, oldest first, whether their files are still there or not."""
        events = [event for event in self.events() if event["event"] == "checkpoint"]
        latest = {event["step"]: event for event in events}
        return [event for _, event in sorted(latest.items())]

    def checkpoints(self) -> List[Dict[str, Any]]:
        """The same of those whose files are still there."""
        return [
            event
            for event in self.logged_checkpoints()
            if (self.path / (event["prefix"] + ".index")).exists()
        ]

    def forget(self, checkpoint: Dict[str, Any]) -> None:
        """Remove a checkpoint's files, the index first: without it the rest is no checkpoint.

        Only what this run wrote is removed: a file that no longer has its logged hash stays.
        """
        for name in sorted(checkpoint["sha256"], key=lambda name: not name.endswith(".index")):
            path = self.path / name
            if (
                path.is_file()
                and not path.is_symlink()
                and sha256_of_file(path) == checkpoint["sha256"][name]
            ):
                path.unlink()

    def damage(self, checkpoint: Dict[str, Any]) -> Optional[str]:
        """Say what is wrong with a checkpoint's files and series against the log; None if nothing."""
        return next(self._damages(checkpoint), None)

    def _damages(self, checkpoint: Dict[str, Any]) -> Iterator[str]:
        for name, expected in checkpoint["sha256"].items():
            path = self.path / name
            if not path.is_file():
                yield f"{name} is missing"
            elif sha256_of_file(path) != expected:
                yield f"{name} has changed since it was written"
        step = checkpoint["step"]
        for name, expected in checkpoint.get("series", {LOSSES: None}).items():
            values = self.series(name)
            if len(values) < step:
                yield f"{name}.f32 holds {len(values):,} numbers, {step:,} expected"
            elif is_hash(expected) and _sha256(values[:step]) != expected:
                yield f"{name}.f32 has changed before iteration {step:,}"


def _sha256(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written: {error.strerror or error}")


def training_seconds(events: List[Dict[str, Any]]) -> float:
    """Seconds that the kept work of a run took: from each start to the last checkpoint after it.

    By the monotonic clock of each process; of runs that did not log it, by the time of day.
    """
    total = done = 0.0
    begun: Optional[Dict[str, Any]] = None
    for event in events:
        if event["event"] in ("start", "resume"):
            total, begun, done = total + done, event, 0.0
        elif event["event"] == "checkpoint" and begun is not None:
            done = _seconds_between(begun, event)
    return total + done


def _seconds_between(first: Dict[str, Any], last: Dict[str, Any]) -> float:
    try:
        return max(0.0, float(last["elapsed"] - first["elapsed"]))
    except (KeyError, TypeError):
        times = [time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ") for event in (first, last)]
        return max(0.0, float(calendar.timegm(times[1]) - calendar.timegm(times[0])))


def utc_now() -> str:
    """Now, as ISO 8601 in UTC with seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
