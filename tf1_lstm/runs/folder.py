"""A run folder: everything that one training is and was, readable without this program.

Layout, all paths relative to the folder:

- ``run.json``: recipe, every setting, seeds, environment, data hashes, start and end, checkpoints.
- ``log.jsonl``: one event a line; the keys are listed in docs/run-folder.md.
- ``losses.f32``: the training loss of every iteration, little-endian float32, in order.
- ``accuracies.f32``: likewise the training accuracy, where the means of epochs are logged.
- ``checkpoints/``: ``RECIPE-STEP.*`` by ``tf.train.Saver`` and its ``checkpoint`` file.
- ``events/``: TensorBoard scalars.
- pictures, ``curves.csv`` and, after ``reproduce``, ``results.json`` and ``report.html``.
"""

import calendar
import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any, Dict, List, Optional

import numpy as np

from tf1_lstm.errors import InputError
from tf1_lstm.files import read_json, replacing, sha256_of_file, write_json

FORMAT = 1
LOSSES, ACCURACIES = "losses", "accuracies"


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
        run = cls(path, {"format": FORMAT, **record})
        run.lock()
        write_json(path / "run.json", run.record)
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Read an existing run.

        Raises:
          InputError: no run there, or one of another format.
        """
        if not (path / "run.json").is_file():
            raise InputError(f"{path}: no run.json in it; expected the folder of a run")
        record = read_json(path / "run.json")
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            found = record.get("format") if isinstance(record, dict) else type(record).__name__
            raise InputError(f"{path / 'run.json'}: found format {found!r}, expected {FORMAT}")
        return cls(path, record)

    def lock(self) -> None:
        """Keep every other process out until this one ends.

        Raises:
          InputError: another process is writing to this run.
        """
        try:
            self._lock = open(self.path / ".lock", "a+", encoding="ascii")  # noqa: SIM115 (held while writing)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{self.path}: in use by another process, expected a run that has stopped"
            ) from error
        except OSError as error:
            raise InputError(f"{self.path}: cannot be locked: {error.strerror or error}") from error

    def save_record(self, **changes: Any) -> None:
        """Update ``run.json`` in one step."""
        self.record.update(changes)
        write_json(self.path / "run.json", self.record)

    def log(self, event: str, **values: Any) -> None:
        """Append one event to ``log.jsonl`` and flush it."""
        if self._log is None:
            self._log = open(self.path / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 (open for the run)
        self._log.write(json.dumps({"event": event, "time": utc_now(), **values}, allow_nan=False) + "\n")
        self._log.flush()

    def append(self, series: str, values: List[float]) -> None:
        """Append one float32 for each iteration to ``SERIES.f32``."""
        if series not in self._series:
            self._series[series] = open(self._series_path(series), "ab")  # noqa: SIM115 (open for the run)
        self._series[series].write(np.asarray(values, dtype="<f4").tobytes())
        self._series[series].flush()

    def sync(self) -> None:
        """Bring log and losses to the disk, so that no checkpoint is ahead of them after a power loss."""
        for stream in (self._log, *self._series.values()):
            if stream is not None:
                os.fsync(stream.fileno())

    def close(self) -> None:
        """Close the files and let others in."""
        for stream in (self._log, *self._series.values(), self._lock):
            if stream is not None:
                stream.close()
        self._log = self._lock = None
        self._series = {}

    def events(self) -> List[Dict[str, Any]]:
        """Read the events logged so far; a last line that was cut off by a crash is left out.

        Raises:
          InputError: a line before the last is not a JSON object.
        """
        path = self.path / "log.jsonl"
        if not path.is_file():
            return []
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found: List[Dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            try:
                event = json.loads(line)
            except ValueError as error:
                if number == len(lines):
                    break
                raise InputError(f"{path}: line {number} is not JSON ({line[:40]!r})") from error
            if not isinstance(event, dict) or not isinstance(event.get("event"), str):
                raise InputError(f"{path}: line {number} is not an event ({line[:40]!r})")
            found.append(event)
        return found

    def losses(self) -> np.ndarray:
        """Read the loss of every iteration so far, float32 [iterations]."""
        return self.series(LOSSES)

    def series(self, name: str) -> np.ndarray:
        """Read one number of every iteration so far (``LOSSES`` or ``ACCURACIES``), float32 [iterations]."""
        path = self._series_path(name)
        data = path.read_bytes() if path.is_file() else b""
        return np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")

    def _series_path(self, name: str) -> Path:
        return self.path / f"{name}.f32"

    def rewind(self, step: int) -> None:
        """Forget everything after ``step`` iterations: logged figures, losses, later checkpoints."""
        kept = [
            event
            for event in self.events()
            if event["event"] not in ("log", "checkpoint")
            or event.get("step", event.get("iteration", 0)) <= step
        ]
        with replacing(self.path / "log.jsonl", "w") as stream:
            for event in kept:
                stream.write(json.dumps(event, allow_nan=False) + "\n")
        for name in (LOSSES, ACCURACIES):
            path = self._series_path(name)
            if name == ACCURACIES and not path.is_file():
                continue
            values = self.series(name)[:step]
            if len(values) < step:
                raise InputError(f"{path}: {len(values):,} {name} found, {step:,} expected")
            with replacing(path) as stream:
                stream.write(values.tobytes())

    def checkpoints(self) -> List[Dict[str, Any]]:
        """List the checkpoint events whose files are still kept, oldest first."""
        events = [event for event in self.events() if event["event"] == "checkpoint"]
        latest = {event["step"]: event for event in events}
        return [
            event
            for _, event in sorted(latest.items())
            if (self.path / (event["prefix"] + ".index")).exists()
        ]

    def damage(self, checkpoint: Dict[str, Any]) -> Optional[str]:
        """Say what is wrong with a checkpoint's files against their logged hashes; None if nothing."""
        for name, expected in checkpoint["sha256"].items():
            path = self.path / name
            if not path.is_file():
                return f"{name} is missing"
            if sha256_of_file(path) != expected:
                return f"{name} has changed since it was written"
        return None


def training_seconds(events: List[Dict[str, Any]]) -> float:
    """Seconds that the kept work of a run took: from each start to the last checkpoint after it."""
    total = 0.0
    begun: Optional[int] = None
    done = 0
    for event in events:
        now = calendar.timegm(time.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ"))
        if event["event"] in ("start", "resume"):
            total, begun, done = total + done, now, 0
        elif event["event"] == "checkpoint" and begun is not None:
            done = now - begun
    return total + done


def utc_now() -> str:
    """Now, as ISO 8601 in UTC with seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
