"""The fuzzer finds what it is there for, and the program stands a short run of it."""

import os
import signal
import time

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz.kind import Kind
from tf1_lstm.errors import InputError


def test_every_kind_of_file_stands_some_damage(capfd):
    assert fuzz.main(["--cases", "8", "--seed", "0"]) == 0, capfd.readouterr().out
    printed = capfd.readouterr().out
    for name in fuzz.names():
        assert name in printed
    assert "0 wrong" in printed


def _raise(folder):
    raise ZeroDivisionError


def _long(folder):
    raise InputError("first line\nsecond line")


MISTAKES = {
    "a traceback": (_raise, "ZeroDivisionError"),
    "the end of the process": (lambda folder: os.kill(os.getpid(), signal.SIGKILL), "ended with status"),
    "a hang": (lambda folder: time.sleep(60), "HangError"),
    "more memory than 2 GB": (lambda folder: bytearray(3 << 30), "MemoryError"),
    "other content": (lambda folder: (folder / "a").read_bytes(), "something else than was written"),
    "a refusal of two lines": (_long, "more than a line"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_kind_of_mistake_is_found(name, monkeypatch, tmp_path, capfd):
    read, said = MISTAKES[name]
    kind = Kind("planted", lambda: {"a": b"content"}, read, True)
    monkeypatch.setattr(fuzz, "KINDS", (kind,))
    monkeypatch.setattr(fuzz, "names", lambda: ["planted"])
    monkeypatch.setattr(fuzz, "KEPT", tmp_path)
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    if name != "other content":
        monkeypatch.setattr(fuzz, "_sound", lambda kind, files, scratch: None)
    assert fuzz.main(["--cases", "3", "--seed", "1"]) == 1
    assert said in capfd.readouterr().out
