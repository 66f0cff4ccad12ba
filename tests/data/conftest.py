"""Fixtures for tests that download: a server on this machine, and no way to any other."""

import socket
from typing import Any, Iterator

import pytest

from tests.data.local_server import LocalServer


@pytest.fixture
def only_this_machine(monkeypatch: Any) -> None:
    """Let no test reach another machine, whatever a test or the environment says."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("TF1_LSTM_MIRROR", raising=False)


@pytest.fixture
def server(only_this_machine: None) -> Iterator[LocalServer]:
    """Run a server for one test."""
    local = LocalServer()
    yield local
    local.stop()


@pytest.fixture
def dead_address() -> str:
    """Give an address on this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
