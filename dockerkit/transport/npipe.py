"""Reaching an engine through a named pipe of Windows (extra ``dockerkit[windows]``: pywin32).

Not run on Windows by our tests: they run it against a scripted pywin32.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockerkit.transport.bridge import Duplex, bridge

if TYPE_CHECKING:
    from dockerkit.config import Endpoint

_FILE_NOT_FOUND, _ACCESS_DENIED, _PIPE_BUSY, _MORE_DATA = 2, 5, 231, 234
_ENDS = (6, 38, 109, 232, 233, 995)  # closed by us, end of file, broken, no data, not connected, aborted by us
_BUSY_WAIT = 0.05


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect to an engine at a named pipe.

    Args:
        endpoint: ``npipe:////./pipe/docker_engine``.
        timeout: seconds to wait while all the pipe's instances are busy.

    Returns:
        A connected socket, which a pair of threads connects to the pipe.

    Raises:
        OSError: there is no such pipe, we may not use it, or it stayed busy.
    """
    return bridge(_open(endpoint.path, timeout), "dockerkit-npipe")


def _open(path: str, timeout: float | None) -> Duplex:
    try:
        import pywintypes
        import win32file
        import win32pipe
    except ImportError as error:
        raise _Unreachable(
            "named pipes need Windows and pywin32",
            "Install it: `pip install dockerkit[windows]`"
            if sys.platform == "win32"
            else "Use unix://, tcp:// or ssh://",
        ) from error
    name = path.replace("/", "\\")
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            handle = win32file.CreateFile(
                name,
                win32file.GENERIC_READ | win32file.GENERIC_WRITE,
                0,  # shared with nobody
                None,
                win32file.OPEN_EXISTING,
                # Overlapped: a handle without it lets a write wait for the read that runs. Anonymous: the engine learns
                # nothing that lets it act as us.
                win32file.FILE_FLAG_OVERLAPPED | win32file.SECURITY_ANONYMOUS | win32file.SECURITY_SQOS_PRESENT,
                None,
            )
            flags = win32pipe.GetNamedPipeInfo(handle)[0]
            return _Pipe(handle, messages=bool(flags & win32pipe.PIPE_TYPE_MESSAGE))
        except pywintypes.error as error:
            if error.winerror != _PIPE_BUSY:
                raise _translated(error, name) from error
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{name} stayed busy") from error
            time.sleep(_BUSY_WAIT)


class _Pipe:
    """A named pipe: a read and a write may run at the same time."""

    def __init__(self, handle: Any, *, messages: bool) -> None:
        self._handle = handle
        self._messages = messages
        self._lock = threading.Lock()  # so that nothing begins on a handle that was just closed

    def recv(self, nbytes: int, /) -> bytes:
        import pywintypes
        import win32file

        buffer = win32file.AllocateReadBuffer(nbytes)
        try:
            count = self._finish(win32file.ReadFile, buffer)
        except pywintypes.error as error:
            if error.winerror == _MORE_DATA:  # a message larger than the buffer: the rest comes with the next read
                return bytes(buffer)
            if error.winerror in _ENDS:
                return b""
            raise _translated(error, "the pipe") from error
        return bytes(buffer[:count])  # an empty message is the other end's half-close

    def sendall(self, data: bytes, /) -> None:
        import pywintypes
        import win32file

        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._finish(win32file.WriteFile, bytes(rest)) :]
            except pywintypes.error as error:
                if error.winerror in _ENDS:
                    raise BrokenPipeError("the engine has closed the pipe") from error
                raise _translated(error, "the pipe") from error

    def shutdown_write(self) -> None:
        """Send an empty message, which the engine takes for the end; a byte pipe knows no such thing."""
        import pywintypes
        import win32file

        if self._messages:
            try:
                self._finish(win32file.WriteFile, b"")
            except pywintypes.error as error:
                raise BrokenPipeError("the engine has closed the pipe") from error

    def close(self) -> None:
        import pywintypes
        import win32file

        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(pywintypes.error):
                win32file.CancelIoEx(handle)  # wakes the other thread
            win32file.CloseHandle(handle)

    def _finish(self, start: Callable[..., object], data: object) -> int:
        """Begin to read or write, and wait for the end of it; returns how many bytes."""
        import pywintypes
        import win32event
        import win32file

        overlapped = pywintypes.OVERLAPPED()
        overlapped.hEvent = win32event.CreateEvent(None, True, False, None)
        with self._lock:
            handle = self._handle
            if handle is None:
                raise EOFError("the pipe was closed")
            start(handle, data, overlapped)
        return int(win32file.GetOverlappedResult(handle, overlapped, True))


class _Unreachable(OSError):
    def __init__(self, said: str, hint: str) -> None:
        super().__init__(said)
        self.hint = hint


def _translated(error: Any, name: str) -> OSError:
    if error.winerror == _FILE_NOT_FOUND:
        return _Unreachable(
            f"there is no pipe {name}", "Start the engine (Docker Desktop), or name another with DOCKER_HOST"
        )
    if error.winerror == _ACCESS_DENIED:
        return _Unreachable(f"access to {name} is denied", "Join the group docker-users, or run as administrator")
    return OSError(error.winerror, str(error.strerror))
