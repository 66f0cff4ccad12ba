"""Runs a program that is not trusted to end: ``python -m tf1_lstm.core.supervisor JOB``.

It stands between this program and a port. Whatever the port starts, also in sessions of its own, becomes
the supervisor's child once its parent is gone, and ends with it: when the port ends, when a limit is
reached, and when this program itself is killed. On systems other than Linux only the port's own process
group is ended. This bounds accidents; it is no sandbox, since the port runs with the user's rights.
"""

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO, Any, Callable, Dict, List, NamedTuple, Optional

from tf1_lstm.core.children import python_command

POLL = 0.1  # seconds between looks at clock and memory
ENDING = 10.0  # seconds within which everything that was started has to be gone
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Limits(NamedTuple):
    """What a program may use.

    Attributes:
      seconds: from start to end.
      memory: bytes in memory, of all its processes together.
      output: bytes of standard output and standard error that are kept; the rest is thrown away.
      file: bytes of any one file that it writes.
    """

    seconds: float
    memory: int = 16 << 30
    output: int = 1 << 20
    file: int = 3 << 30


class Ending(NamedTuple):
    """How a program ended.

    Attributes:
      code: its exit code, negative for a signal; None where it was stopped or could not start.
      stopped: why it was stopped, or "".
    """

    code: Optional[int]
    stopped: str


def run_supervised(command: List[str], output: str, limits: Limits, environment: Dict[str, str]) -> Ending:
    """Run a program under a supervisor, and wait until it and all that it started are gone.

    Args:
      command: the program and its arguments.
      output: the file that takes what it prints.
      limits: see ``Limits``.
      environment: its environment variables.
    """
    job = json.dumps({"command": command, "output": output, "limits": limits._asdict()})
    supervisor = subprocess.Popen(
        python_command("tf1_lstm.core.supervisor", job),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for this program to pass on
    )
    try:
        answer, _ = supervisor.communicate(timeout=limits.seconds + 2 * ENDING)
        found = json.loads(answer)
        return Ending(found["code"], found["stopped"])
    except subprocess.TimeoutExpired:
        return Ending(None, f"was stopped at the time limit of {limits.seconds:g} s")
    except (ValueError, KeyError, TypeError):
        return Ending(None, "was lost: its supervisor was ended")
    finally:
        _end(supervisor)


def _end(supervisor: "subprocess.Popen[bytes]") -> None:
    """Have the supervisor end everything; by force where it does not."""
    if supervisor.poll() is None:
        supervisor.terminate()
        try:
            supervisor.wait(ENDING)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()


# ---- in the supervisor's own process -------------------------------------------------------------


def main(job: Dict[str, Any]) -> None:
    """Run the job's command and print how it ended, as JSON."""
    limits = Limits(**job["limits"])
    signal.signal(signal.SIGTERM, _leave)
    adopt_orphans()
    _end_with_parent()
    stopped, code = "", None
    try:
        with open(job["output"], "wb") as kept:
            child = subprocess.Popen(
                job["command"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_limiting(limits),  # noqa: PLW1509 (no threads here)
            )
            stopped = _watch(child, kept, limits)
            code = None if stopped else child.returncode
    except OSError as error:
        stopped = f"cannot be run: {error.strerror or error}"
    finally:
        end_all(os.getpid())
    print(json.dumps({"code": code, "stopped": stopped}), flush=True)


def _leave(*unused: Any) -> None:
    sys.exit(1)  # the ``finally`` of main ends everything


def _limiting(limits: Limits) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))

    return limit


def adopt_orphans() -> None:
    """Become the parent of descendants that lose theirs (Linux)."""
    _process_control(_PR_SET_CHILD_SUBREAPER, 1)


def _end_with_parent() -> None:
    """Be sent SIGTERM when the process that started this one ends (Linux)."""
    _process_control(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:  # it was gone before that took effect
        sys.exit(1)


def _process_control(what: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(what, value, 0, 0, 0)


def _watch(child: "subprocess.Popen[bytes]", kept: IO[bytes], limits: Limits) -> str:
    """Keep the first of its output until it ends; returns why it was stopped, or ""."""
    assert child.stdout is not None
    end, left = time.monotonic() + limits.seconds, limits.output
    source: Optional[int] = child.stdout.fileno()
    while True:
        if source is None:
            time.sleep(POLL)
        elif select.select([source], [], [], POLL)[0]:
            content = os.read(source, 1 << 16)
            kept.write(content[:left])
            left = max(0, left - len(content))
            source = source if content else None
        if child.poll() is not None:
            _drain(source, kept, left)
            return ""
        if time.monotonic() > end:
            return f"was stopped at the time limit of {limits.seconds:g} s"
        used = memory_of(child.pid)
        if used > limits.memory:
            return f"was stopped at the memory limit of {limits.memory / (1 << 30):.3g} GiB"


def _drain(source: Optional[int], kept: IO[bytes], left: int) -> None:
    """Keep what was printed before the end; what others still hold open is not waited for."""
    while source is not None and left and select.select([source], [], [], 0)[0]:
        content = os.read(source, min(left, 1 << 16))
        if not content:
            break
        kept.write(content)
        left -= len(content)


def descendants(ancestor: int) -> List[int]:
    """Every process below ``ancestor``, from /proc; none where there is no /proc."""
    parents: Dict[int, int] = {}
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as stream:
                    # The name in parentheses may hold anything, parentheses too.
                    parents[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
    found = {ancestor}
    while True:
        more = {process for process, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found - {ancestor})
        found |= more


def memory_of(process: int) -> int:
    """Bytes in memory of a process and all below it."""
    total, page = 0, resource.getpagesize()
    for one in (process, *descendants(process)):
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{one}/statm", "rb") as stream:
            total += int(stream.read().split()[1]) * page
    return total


def end_all(ancestor: int) -> None:
    """Kill everything below ``ancestor``, and go on until nothing is left that could start another."""
    end = time.monotonic() + ENDING
    while time.monotonic() < end:
        found = descendants(ancestor)
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not found:
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
