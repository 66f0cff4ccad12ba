"""What a shell completes."""

import subprocess

import pytest

from tf1_lstm.cli import main

pytest.importorskip("shtab")


@pytest.fixture(scope="module")
def script() -> str:
    import contextlib
    import io

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["completion", "bash"]) == 0
    return printed.getvalue()


@pytest.mark.parametrize(
    "typed, expected",
    [
        (["tr"], "train"),
        (["train", "imdb-lstm3"], "imdb-lstm32"),
        (["evaluate", "imdb-lstm", "--dropout", "bo"], "both"),
        (["train", "--eng"], "--engine"),
    ],
)
def test_bash_completes(script: str, typed: list, expected: str):
    function = script.rsplit("-F ", 1)[1].split(maxsplit=1)[0]
    words = " ".join(["tf1-lstm", *typed])
    asked = f"COMP_WORDS=({words}); COMP_CWORD={len(typed)}; {function}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", script + asked], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split() == [expected]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script_too(shell: str, capsys: pytest.CaptureFixture):
    assert main(["completion", shell]) == 0
    assert "test-batches" in capsys.readouterr().out
