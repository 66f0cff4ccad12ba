"""What ``--quiet`` lets through."""

import io

from tf1_lstm.core.quiet import ErrorsOnly


def test_errors_and_warnings_pass_whole_and_nothing_else_does():
    stream = io.StringIO()
    quiet = ErrorsOnly(stream)
    print("resuming", file=quiet)
    print("tf1-lstm: weights.npy: 3 found\nsecond line", file=quiet)
    quiet.write("\r 50 %")
    print("", file=quiet)
    assert stream.getvalue() == "tf1-lstm: weights.npy: 3 found\nsecond line\n"
    assert not quiet.isatty()
