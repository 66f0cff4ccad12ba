"""Exit codes, and what of an error the user reads: one line on standard error."""

import errno
import os
import signal
import sys
import tempfile
import traceback
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Callable, Iterator, List, Optional, Tuple

from tf1_lstm.core.text import printable_lines
from tf1_lstm.errors import InputError, NotFiniteError

# IN_USE and OUR_ERROR are EX_TEMPFAIL and EX_SOFTWARE of BSD's sysexits.h.
DONE, DOES_NOT_HOLD, BAD_INPUT, OUR_ERROR, IN_USE = 0, 1, 2, 70, 75
INTERRUPTED = 130
AGAIN = 3.0  # seconds after which a Ctrl-C that had no effect is repeated


def exit_code_of(action: Callable[[], int]) -> int:
    """Run a program's action; returns its exit code, or that of the error which ended it.

    ``DOES_NOT_HOLD`` comes from the action itself or from training that is not finite, and from nothing
    else; an error that nobody foresaw gives ``OUR_ERROR`` and the name of the file with its traceback.
    """
    with _noting_ctrl_c() as arrived:
        try:
            code = _flushed(action)
        except SystemExit:  # after --help, and after a wrong option
            raise
        except BaseException as error:
            return _code_of(error, bool(arrived))
    return code


def _flushed(action: Callable[[], int]) -> int:
    """Run it, and write out what it printed: a full disk is to be told here and not at the very end."""
    try:
        return action()
    finally:
        if sys.stdout is not None and sys.exc_info()[0] in (None, SystemExit):
            sys.stdout.flush()


def _code_of(error: BaseException, ctrl_c: bool) -> int:
    if isinstance(error, BrokenPipeError):
        # The reader of our output (head, less) has gone; that is no error of ours.
        _drop_output()
        return DONE
    line, code = _told(error, ctrl_c)
    with suppress(OSError, AttributeError):
        print(f"tf1-lstm: {printable_lines(line)}", file=sys.stderr)
        sys.stderr.flush()
    return code


def _told(error: BaseException, ctrl_c: bool) -> Tuple[str, int]:
    """What the user reads of an error, and the exit code."""
    line, code = "", BAD_INPUT
    if isinstance(error, InputError):
        line, code = str(error), error.exit_code
    elif isinstance(error, KeyboardInterrupt) or ctrl_c:  # an import that it broke off may end in any error
        line, code = "interrupted", INTERRUPTED
    elif isinstance(error, NotFiniteError):
        line, code = str(error), DOES_NOT_HOLD
    elif "No space left on device" in str(error):  # TensorFlow's own error for it is that of lost memory
        _drop_output()
        line = _system_error(error) if isinstance(error, OSError) else f"{str(error).splitlines()[0]:.200}"
    elif isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        line = "not enough memory for this input"
    elif isinstance(error, OSError) and error.errno is not None:
        _drop_output()
        line = _system_error(error)
    elif isinstance(error, ModuleNotFoundError) and not (error.name or "tf1_lstm").startswith("tf1_lstm"):
        package = str(error.name).partition(".")[0]
        line = (
            f"the Python package {package} is missing; expected the environment that `make setup` makes "
            "(`tf1-lstm doctor` examines it)"
        )
    else:
        line, code = _our_error(error), OUR_ERROR
    return line, code


def _drop_output() -> None:
    """Let what is still to be printed vanish, so that its failure is not told a second time."""
    if sys.stdout is sys.__stdout__:
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_error(error: OSError) -> str:
    reason = error.strerror or errno.errorcode.get(error.errno or 0, str(error))
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    if error.errno == errno.ENOENT and not _has_current_folder():
        return "the current folder has been removed; expected to be started in one that is there"
    return f"output cannot be written: {reason}" if error.errno in _WRITING else reason


_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EBADF)


def _has_current_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


def _our_error(error: BaseException) -> str:
    """One line with the place of the full traceback."""
    message = (str(error).strip().splitlines() or [""])[0]
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({os.path.basename(where[0].filename)}, line {where[0].lineno})" if where else ""
    line = f"internal error: {type(error).__name__}: {message:.200}{place}"
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        handle, path = tempfile.mkstemp(prefix="tf1-lstm-", suffix="-traceback.txt")
        with open(handle, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as failure:
        return f"{line}; its traceback cannot be written ({failure.strerror})"
    return f"{line}; the full traceback is in {path}"


@contextmanager
def _noting_ctrl_c() -> Iterator[List[int]]:
    """Give a list that is not empty once Ctrl-C arrived, while it raises KeyboardInterrupt as always.

    C code that is being imported, and callbacks, may swallow the exception; so it comes again.
    """
    arrived: List[int] = []

    def note(number: int, frame: Optional[FrameType]) -> None:
        arrived.append(number)
        signal.signal(signal.SIGALRM, note)
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise KeyboardInterrupt

    try:
        usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if usual:
            signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread
        usual = False
    try:
        yield arrived
    finally:
        if arrived:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if usual:
            signal.signal(signal.SIGINT, signal.default_int_handler)
