"""Named pipes of Windows, against a scripted pywin32; on Windows itself this has not been run."""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dockerkit import errors
from dockerkit.endpoint.discovery import Endpoint
from dockerkit.transport import HTTPRequest, HTTPTransport, Timeouts, npipe

ENDPOINT = Endpoint("npipe:////./pipe/docker_engine", "argument", "it was given")


class WinError(Exception):
    def __init__(self, winerror: int, strerror: str = "words of Windows") -> None:
        super().__init__(winerror, "function", strerror)
        self.winerror, self.strerror = winerror, strerror


class Windows:
    """A simulated pywin32: one pipe with two queues, whose responses :attr:`engine` provides."""

    def __init__(self) -> None:
        self.opening: list[int] = []  # error codes of the next attempts to open
        self.opened: list[tuple[Any, ...]] = []
        self.written: list[bytes] = []
        self.coming: queue.Queue[bytes | int] = queue.Queue()
        self.message_mode = True
        self.closed = threading.Event()
        self.largest_write = 1 << 30

    def engine(self, data: bytes) -> None:
        """Handle a write; tests replace it."""

    def modules(self) -> dict[str, ModuleType]:
        def overlapped() -> SimpleNamespace:
            return SimpleNamespace(hEvent=None, done=None)

        def create(name: str, *facts: Any) -> str:
            self.opened.append((name, *facts))
            if self.opening:
                raise WinError(self.opening.pop(0))
            return "handle"

        def read(handle: object, buffer: bytearray, over: SimpleNamespace) -> None:
            assert handle == "handle"
            over.done = ("read", buffer)

        def write(handle: object, data: bytes, over: SimpleNamespace) -> None:
            assert handle == "handle"
            over.done = ("write", data[: self.largest_write])

        def result(handle: object, over: SimpleNamespace, wait: bool) -> int:
            kind, data = over.done
            if kind == "write":
                self.written.append(data)
                self.engine(data)
                return len(data)
            item = self.coming.get()
            if isinstance(item, int):
                raise WinError(item)
            if len(item) > len(data):
                data[:] = item[: len(data)]
                self.coming.queue.appendleft(item[len(data) :])
                raise WinError(234)
            data[: len(item)] = item
            return len(item)

        def cancel(handle: object) -> None:
            self.coming.put(995)

        def module(name: str, **names: Any) -> ModuleType:
            made = ModuleType(name)
            made.__dict__.update(names)
            return made

        numbers = {"GENERIC_READ": 1, "GENERIC_WRITE": 2, "OPEN_EXISTING": 3, "FILE_FLAG_OVERLAPPED": 4}
        numbers |= {"SECURITY_ANONYMOUS": 8, "SECURITY_SQOS_PRESENT": 16}
        files = {
            "CreateFile": create,
            "ReadFile": read,
            "WriteFile": write,
            "GetOverlappedResult": result,
            "CancelIoEx": cancel,
        }
        return {
            "pywintypes": module("pywintypes", error=WinError, OVERLAPPED=overlapped),
            "win32event": module("win32event", CreateEvent=lambda *a: object()),
            "win32pipe": module(
                "win32pipe", PIPE_TYPE_MESSAGE=4, GetNamedPipeInfo=lambda h: (4 if self.message_mode else 0, 0, 0, 0)
            ),
            "win32file": module(
                "win32file", AllocateReadBuffer=bytearray, CloseHandle=lambda h: self.closed.set(), **numbers, **files
            ),
        }


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    windows = Windows()
    for name, module in windows.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    yield windows
    for thread in threading.enumerate():
        if thread.name == "dockerkit-npipe":
            thread.join(2)
            assert not thread.is_alive(), "its threads end with a connection"


@pytest.fixture
def pipe(windows: Windows) -> Iterator[socket.socket]:
    with npipe.dial(ENDPOINT, 1) as sock:
        yield sock
    assert windows.closed.wait(2), "closing the socket closes the pipe"


def test_request_and_its_answer(windows: Windows) -> None:
    def engine(data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            windows.coming.put(b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\n")
            windows.coming.put(b"OK")

    windows.engine = engine  # type: ignore[method-assign]
    transport = HTTPTransport(ENDPOINT)
    for _ in range(3):
        with transport.send(HTTPRequest("GET", "/_ping", {}, None, Timeouts(1, 5, 5))) as exchange:
            assert (exchange.status, exchange.read()) == (200, b"OK")
    assert len(windows.opened) == 1, "the connection was kept"
    assert windows.opened[0][0] == r"\\.\pipe\docker_engine"
    transport.close()
    assert windows.closed.wait(2)


def test_large_messages_arrive_complete(windows: Windows, pipe: socket.socket) -> None:
    windows.largest_write = 1000
    windows.coming.put(b"a" * 200_000)
    pipe.sendall(b"b" * 5000)
    deadline = time.monotonic() + 2
    while sum(map(len, windows.written)) < 5000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert b"".join(windows.written) == b"b" * 5000
    windows.coming.put(109)
    assert b"".join(iter(lambda: pipe.recv(4096), b"")) == b"a" * 200_000


@pytest.mark.parametrize("message_mode", [True, False])
def test_half_close_is_an_empty_message(windows: Windows, message_mode: bool) -> None:
    windows.message_mode = message_mode
    seen = threading.Event()
    windows.engine = lambda data: seen.set() if data == b"" else None  # type: ignore[method-assign]
    with npipe.dial(ENDPOINT, 1) as pipe:
        pipe.sendall(b"input")
        pipe.shutdown(socket.SHUT_WR)
        assert seen.wait(2 if message_mode else 0.05) is message_mode
        windows.coming.put(b"output after the half-close")
        assert pipe.recv(100) == b"output after the half-close"


def test_engines_half_close_ends_the_stream(windows: Windows, pipe: socket.socket) -> None:
    windows.coming.put(b"last")
    windows.coming.put(b"")
    assert pipe.recv(100) == b"last"
    assert pipe.recv(100) == b""


def test_closing_wakes_the_thread_that_reads(windows: Windows) -> None:
    npipe.dial(ENDPOINT, 1).close()
    assert windows.closed.wait(2)


def test_busy_pipe_is_waited_for(windows: Windows) -> None:
    windows.opening = [231, 231]
    npipe.dial(ENDPOINT, 5).close()
    assert len(windows.opened) == 3
    windows.opening = [231] * 100
    with pytest.raises(TimeoutError, match="stayed busy"):
        npipe.dial(ENDPOINT, 0.05)


@pytest.mark.parametrize(
    ("code", "says"),
    [(2, "pipe .*docker_engine does not exist.*Docker Desktop"), (5, "denied.*docker-users"), (1, "words of Windows")],
)
def test_failures_are_explained(windows: Windows, code: int, says: str) -> None:
    windows.opening = [code]
    transport = HTTPTransport(ENDPOINT)
    with pytest.raises(errors.ConnectionFailed, match=says):
        transport.send(HTTPRequest("GET", "/_ping", {}, None, Timeouts(1, 1, 1)))


def test_without_pywin32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "win32file", None)
    with pytest.raises(errors.ConnectionFailed, match="exist only on Windows.*unix://"):
        HTTPTransport(ENDPOINT).send(HTTPRequest("GET", "/_ping", {}, None, Timeouts(1, 1, 1)))
