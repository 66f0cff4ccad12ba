"""Exit codes, and what of an error the user reads: one line on standard error."""

import os
import sys
from typing import Callable

from tf1_lstm.errors import InputError, NotFiniteError

DONE, DOES_NOT_HOLD, BAD_INPUT = 0, 1, 2
INTERRUPTED = 130


def exit_code_of(action: Callable[[], int]) -> int:
    """Run a program's action; returns its exit code, or that of the error which ended it."""
    try:
        return action()
    except InputError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        return BAD_INPUT
    except NotFiniteError as error:
        print(f"tf1-lstm: {error}", file=sys.stderr)
        return DOES_NOT_HOLD
    except KeyboardInterrupt:
        print("tf1-lstm: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        print("tf1-lstm: not enough memory for this input", file=sys.stderr)
        return BAD_INPUT
