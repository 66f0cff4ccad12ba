"""Ports that lie, flood, hide or go on: each ends in a report, with nothing of them left running."""

import io
import json
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.parity.support import ROWS, make_bundle
from tests.tiers import representative
from tf1_lstm.cli import main
from tf1_lstm.core import supervisor
from tf1_lstm.core.children import script_command
from tf1_lstm.core.supervisor import Limits, descendants, run_supervised
from tf1_lstm.core.text import printable, printable_lines
from tf1_lstm.parity.bundle import write_bundle


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_bundle(tmp_path / "a.npz", make_bundle(ROWS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compare(folder: Path, capfd, source: str, *more: str):
    (folder / "port.py").write_text(source)
    words = [
        "compare",
        "a.npz",
        "--port",
        "port.py:port",
        "--python",
        sys.executable,
        "--out",
        "out",
        "--json",
    ]
    code = main([*words, *more])
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err
    return code, json.loads(printed.out) if printed.out else None, printed.err


FORGING = """
import json, os, sys, numpy as np
folder = sys.argv[1]
def leave(name, content):
    with open(os.path.join(folder, name), "wb") as stream:
        stream.write(content)
leave("port.json", json.dumps({{"kind": "function", "source": "x"}}).encode())
{body}
os._exit({code})
def port(inputs): pass
"""

FORGED = {
    "JSON that is none": 'leave("logits.json", b"{")',
    "a list": 'leave("logits.json", b"[1, 2]")',
    "nested without end": 'leave("logits.json", b"[" * 200000)',
    "numbers for texts": 'leave("logits.json", b\'{"reason": 3, "failed": "no"}\')',
    "not a number": 'leave("logits.json", b\'{"reason": NaN, "failed": true}\')',
    "a port that is a list": 'leave("port.json", b"[]")',
    "a port of nested lists": 'leave("port.json", b\'{"notes": [[[1]]], "kind": {}}\')',
    "no archive": 'leave("logits.npz", b"nonsense")',
    "NaN": 'np.savez(folder + "/logits.npz", logits=np.full((4, 10), np.nan))',
    "another shape": 'np.savez(folder + "/logits.npz", logits=np.zeros(3))',
    "another name": 'np.savez(folder + "/logits.npz", other=np.zeros((4, 10)))',
    "truth values": 'np.savez(folder + "/logits.npz", logits=np.zeros((4, 10), bool))',
    "a pickle": 'np.savez(folder + "/logits.npz", logits=np.array([{}], object))',
    "a pipe": 'os.mkfifo(folder + "/logits.json")',
    "a link to a device": 'os.symlink("/dev/zero", folder + "/logits.json")',
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_answers_cannot_be_judged(name, folder, capfd):
    code, document, said = compare(folder, capfd, FORGING.format(body=FORGED[name], code=0))
    assert code == 2
    assert document is None or not document["judged"]
    assert said.count("\n") <= 1


LEVELS = ("repeats", "weights", "steps", "training", "inputs", "split", "updates")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "arrays",
    representative(
        ["{'x': np.zeros(3)}", "{'logits': np.full((2, 2), np.inf)}", "{'loss': np.zeros((2, 2))}"],
        "{'x': np.zeros(3)}",
    ),
)
def test_forged_levels_beside_right_logits_do_not_pass(level, arrays, folder, capfd):
    body = (
        f"from tf1_lstm.parity.bundle import read_bundle\n"
        f"np.savez(folder + '/logits.npz', logits=read_bundle('a.npz').logits)\n"
        f"np.savez(folder + '/{level}.npz', **{arrays})"
    )
    code, document, _ = compare(folder, capfd, FORGING.format(body=body, code=0))
    assert code == 1
    assert document["judged"]
    assert not document["holds"]


def test_a_real_time_signal_is_named_by_its_number(folder, capfd):
    source = "import os\nos.kill(os.getpid(), 40)\n"
    code, _, said = compare(folder, capfd, source)
    assert code == 2
    assert "was ended by signal 40" in said


def test_escape_sequences_do_not_reach_the_terminal(folder, capfd):
    code, document, said = compare(
        folder, capfd, "def port(inputs):\n    raise ValueError('\\x1b[2J\\x1b]0;title\\x07 gone')\n"
    )
    assert code == 2
    assert "\x1b" not in said + json.dumps(document, ensure_ascii=False)
    assert "?[2J" in document["failures"][0]["reason"]


def test_text_for_a_terminal_is_one_line():
    assert printable("a\x1b[31m\nb\u202ec\x9b") == "a?[31m b?c?"
    assert len(printable("x" * 1000)) == 300
    assert printable_lines("a\tb\n\x07c") == "a\tb\n?c"


ESCAPING = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        open({place!r}, "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists({place!r}):
    time.sleep(0.01)
{then}
"""


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("then", ["pass", "time.sleep(600)", "os.kill(os.getpid(), 9)"])
def test_what_leaves_for_a_session_of_its_own_ends_too(then, tmp_path):
    place = str(tmp_path / "escaped")
    source = ESCAPING.format(place=place, then=then)
    ended = run_supervised(script_command(source), str(tmp_path / "output"), Limits(2.0), dict(os.environ))
    assert bool(ended.stopped) == ("sleep" in then)
    assert not is_running(int(Path(place).read_text()))


def test_everything_ends_with_this_program_even_when_it_is_killed(tmp_path):
    import subprocess

    place = str(tmp_path / "escaped")
    source = ESCAPING.format(place=place, then="time.sleep(600)")
    run = (
        "import os, sys\nfrom tf1_lstm.core.supervisor import Limits, run_supervised\n"
        "from tf1_lstm.core.children import script_command\n"
        "run_supervised(script_command(sys.argv[1]), sys.argv[2], Limits(600.0), dict(os.environ))"
    )
    program = subprocess.Popen([*script_command(run), source, str(tmp_path / "output")])
    while not Path(place).exists() or not Path(place).read_text():
        assert program.poll() is None
        time.sleep(0.02)
    program.kill()
    program.wait()
    escaped = int(Path(place).read_text())
    for _ in range(200):
        if not is_running(escaped):
            break
        time.sleep(0.05)
    assert not is_running(escaped)


def test_output_and_memory_are_limited(tmp_path):
    output = tmp_path / "output"
    flood = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    limits = Limits(seconds=1.0, output=100_000)
    ended = run_supervised(script_command(flood), str(output), limits, dict(os.environ))
    assert ended.stopped == "was stopped at the time limit of 1 s"
    assert output.stat().st_size == 100_000
    hoard = (
        "import time\nheld = []\nwhile True:\n held.append(bytearray(b'x') * (1 << 24))\n time.sleep(0.01)"
    )
    ended = run_supervised(script_command(hoard), str(output), Limits(60.0, memory=1 << 28), dict(os.environ))
    assert ended.stopped == "was stopped at the memory limit of 0.25 GiB"
    big = f"with open({str(tmp_path / 'big')!r}, 'wb') as s:\n  s.write(bytes(1 << 20))"
    ended = run_supervised(script_command(big), str(output), Limits(60.0, file=1000), dict(os.environ))
    assert ended.code != 0
    assert (tmp_path / "big").stat().st_size <= 1000


def test_how_a_program_ended_is_told(tmp_path):
    def ending(*command: str):
        return tuple(run_supervised(list(command), str(tmp_path / "o"), Limits(30.0), dict(os.environ)))

    assert ending(*script_command("print('hello')")) == (0, "")
    assert (tmp_path / "o").read_text() == "hello\n"
    assert ending(*script_command("raise SystemExit(7)")) == (7, "")
    assert ending(*script_command("import os; os.kill(os.getpid(), 9)")) == (-9, "")
    code, stopped = ending("/no/such/program")
    assert code is None
    assert stopped.startswith("cannot be run: No such file or directory")


def test_descendants_are_found_and_nobody_else():
    import subprocess

    child = subprocess.Popen(script_command("import time; time.sleep(60)"))
    try:
        assert child.pid in descendants(os.getpid())
        assert os.getpid() not in descendants(os.getpid())
        assert supervisor.memory_of(child.pid) > 1 << 20
    finally:
        child.kill()
        child.wait()


def test_a_bomb_in_place_of_logits_is_not_unpacked(folder, capfd):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }\n"
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        with archive.open("logits.npy", "w", force_zip64=True) as member:
            member.write(start + bytes(1 << 20))
    (folder / "bomb").write_bytes(content.getvalue())
    body = "leave('logits.npz', open('bomb', 'rb').read())"
    code, document, _ = compare(folder, capfd, FORGING.format(body=body, code=0))
    assert code == 2
    assert not document["judged"]


def test_a_python_that_lacks_a_package_of_the_child_is_told_with_the_next_step(folder, capfd):
    (folder / "bare").write_text(
        "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'numpy'\" >&2\nexit 1\n"
    )
    (folder / "bare").chmod(0o755)
    (folder / "port.py").write_text("def port(x): return x\n")
    assert main(["compare", "a.npz", "--port", "port.py:port", "--python", "./bare", "--out", "out"]) == 2
    said = capfd.readouterr().err
    assert "./bare has no numpy: make ports, or name another Python by --python" in said
    assert said.count("\n") == 1


def test_a_port_that_shows_nothing_gets_no_table_and_no_picture(folder, capfd):
    (folder / "port.py").write_text("def port(x): raise RuntimeError('boom')\n")
    arguments = ["compare", "a.npz", "--port", "port.py:port", "--python", sys.executable, "--out", "out"]
    assert main(arguments) == 2
    printed = capfd.readouterr().out
    assert printed.count("boom") == 2  # where it failed, and the verdict
    assert "tolerance" not in printed
    assert not list((folder / "out").glob("*.png"))
    assert not (folder / "out" / "comparison.html").exists()
