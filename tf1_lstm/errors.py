"""The errors a user can fix: each is one line on standard error, and has an exit code."""


class InputError(Exception):
    """Something from outside (a file, an option, a machine) cannot be used as it is.

    The message is what the user reads, so it names the file or option, what was found and what
    was expected. The command line prints it after ``tf1-lstm: `` and exits with 2; a message may
    hold further lines (a table), but its first line must say it all.

    Attributes:
      exit_code: of the program that it ends.
    """

    exit_code = 2


class InUseError(InputError):
    """Another process has what is asked for: the same again later may work (exit code 75, EX_TEMPFAIL)."""

    exit_code = 75


class NotFiniteError(Exception):
    """A loss or a weight became NaN or infinite during training (exit code 1)."""
