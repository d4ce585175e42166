"""Connections through a named pipe of Windows (extra ``dockerkit[windows]``: pywin32).

The tests don't run on Windows; they use a scripted pywin32.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockerkit.errors import MissingExtra
from dockerkit.transport.bridge import Duplex, bridge
from dockerkit.transport.failures import HintedError

if TYPE_CHECKING:
    from dockerkit.endpoint.discovery import Endpoint

_FILE_NOT_FOUND, _ACCESS_DENIED, _PIPE_BUSY, _MORE_DATA = 2, 5, 231, 234
_END_CODES = (6, 38, 109, 232, 233, 995)  # closed here, end of file, broken, no data, not connected, aborted here
_BUSY_WAIT = 0.05


def dial(endpoint: Endpoint, timeout: float | None) -> socket.socket:
    """Connect to an engine at a named pipe. The timeout limits the wait while all the pipe's instances are busy."""
    return bridge(_open(endpoint.path, timeout), "dockerkit-npipe")


def _open(path: str, timeout: float | None) -> Duplex:
    try:
        import pywintypes
        import win32file
        import win32pipe
    except ImportError as error:
        if sys.platform == "win32":
            raise MissingExtra("named pipes require pywin32: pip install 'dockerkit[windows]'") from error
        raise HintedError("named pipes exist only on Windows", "Use unix://, tcp:// or ssh://") from error
    name = path.replace("/", "\\")
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            handle = win32file.CreateFile(
                name,
                win32file.GENERIC_READ | win32file.GENERIC_WRITE,
                0,  # shared with nobody
                None,
                win32file.OPEN_EXISTING,
                # Overlapped: otherwise a write waits for a running read. Anonymous: the engine can't impersonate this
                # process.
                win32file.FILE_FLAG_OVERLAPPED | win32file.SECURITY_ANONYMOUS | win32file.SECURITY_SQOS_PRESENT,
                None,
            )
            flags = win32pipe.GetNamedPipeInfo(handle)[0]
            return _Pipe(handle, messages=bool(flags & win32pipe.PIPE_TYPE_MESSAGE))
        except pywintypes.error as error:
            if error.winerror != _PIPE_BUSY:
                raise _pipe_error(error, name) from error
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"{name} stayed busy") from error
            time.sleep(_BUSY_WAIT)


class _Pipe:
    """A named pipe: a read and a write may run at the same time."""

    def __init__(self, handle: Any, *, messages: bool) -> None:
        self._handle = handle
        self._messages = messages
        self._lock = threading.Lock()  # so that no operation starts on a closed handle

    def recv(self, nbytes: int, /) -> bytes:
        import win32file

        buffer = win32file.AllocateReadBuffer(nbytes)
        try:
            return bytes(buffer[: self._finish(win32file.ReadFile, buffer)])  # an empty message is a half-close
        except BrokenPipeError:
            return b""

    def sendall(self, data: bytes, /) -> None:
        import win32file

        rest = memoryview(data)
        while rest:
            rest = rest[self._finish(win32file.WriteFile, bytes(rest)) :]

    def shutdown_write(self) -> None:
        """Send an empty message, which the engine treats as the end; byte pipes don't support this."""
        import win32file

        if self._messages:
            self._finish(win32file.WriteFile, b"")

    def close(self) -> None:
        import pywintypes
        import win32file

        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(pywintypes.error):
                win32file.CancelIoEx(handle)  # wakes the other thread
            win32file.CloseHandle(handle)

    def _finish(self, start: Callable[..., object], data: Any) -> int:
        """Start a read or write and wait for its end; return the number of bytes."""
        import pywintypes
        import win32event
        import win32file

        overlapped = pywintypes.OVERLAPPED()
        overlapped.hEvent = win32event.CreateEvent(None, True, False, None)
        try:
            with self._lock:
                handle = self._handle
                if handle is None:
                    raise EOFError("the pipe was closed")
                start(handle, data, overlapped)
            return int(win32file.GetOverlappedResult(handle, overlapped, True))
        except pywintypes.error as error:
            if error.winerror == _MORE_DATA:  # a message larger than the buffer: the rest comes with the next read
                return len(data)
            if error.winerror in _END_CODES:
                raise BrokenPipeError("the engine has closed the pipe") from error
            raise _pipe_error(error, "the pipe") from error


def _pipe_error(error: Any, name: str) -> OSError:
    if error.winerror == _FILE_NOT_FOUND:
        return HintedError(
            f"the pipe {name} does not exist", "Start the engine (Docker Desktop), or select another with DOCKER_HOST"
        )
    if error.winerror == _ACCESS_DENIED:
        return HintedError(
            f"access to {name} is denied", "Add this user to the group docker-users, or run as administrator"
        )
    return OSError(error.winerror, str(error.strerror))
