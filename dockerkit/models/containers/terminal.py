"""Connect this terminal to a process in a container: raw mode, size changes, and restoring it in every case."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dockerkit import errors
from dockerkit.errors import InvalidArgument
from dockerkit.transport import HijackedConnection

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["check", "connect", "size"]

_RESIZE_TRIES = 10
# The engine's message, with exit code 126, if the user detached from an exec.
_DETACHED = b"read escape sequence\r\n"


def check() -> None:
    """Refuse to continue if standard input is not a terminal, or the system has none of this kind."""
    if sys.platform == "win32":
        raise InvalidArgument("shell, attach_terminal: Windows terminals are not supported; use exec() or popen()")
    if not _is_terminal():
        raise InvalidArgument(
            "shell, attach_terminal: standard input is not a terminal; use exec(input=...) or popen()"
        )


def _is_terminal() -> bool:
    try:
        return os.isatty(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def size() -> tuple[int, int]:
    """Return rows and columns of this terminal."""
    columns, rows = shutil.get_terminal_size()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
    return rows, columns


def connect(duplex: HijackedConnection, resize: Callable[[int, int], None]) -> bool:
    """Send keys to the process and its output to the terminal, until one of them ends.

    Returns:
        Whether the engine reported that the detach keys were typed.
    """
    keys, screen = sys.stdin.fileno(), sys.stdout.fileno()
    sys.stdout.flush()
    wake_read, wake_write = os.pipe()
    done, detached = threading.Event(), threading.Event()
    try:
        with _raw(keys), _handlers({signal.SIGWINCH: lambda number, frame: os.write(wake_write, b"r")}):
            sizer = threading.Thread(target=_first_size, args=(resize, done), name="dockerkit-terminal-size")
            writer = threading.Thread(
                target=_show, args=(duplex, screen, wake_write, detached), name="dockerkit-terminal-output", daemon=True
            )
            try:  # from here on, a signal may end the program at any time
                writer.start()
                sizer.start()
                _pump(duplex, keys, wake_read, resize)
            finally:
                done.set()
                duplex.close()
                for thread in (writer, sizer):
                    if thread.ident is not None:
                        thread.join()
    finally:
        os.close(wake_read)
        os.close(wake_write)
    return detached.is_set()


def _pump(duplex: HijackedConnection, keys: int, wake: int, resize: Callable[[int, int], None]) -> None:
    """Forward keys until the output has ended."""
    watched = [keys, wake]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if wake in ready:
            news = os.read(wake, 1024)
            if b"e" in news:
                return
            with contextlib.suppress(errors.APIError):  # the process may have just exited
                resize(*size())
        if keys in ready:
            data = os.read(keys, 4096)
            try:
                if data:
                    duplex.transmit(data)
                else:
                    watched.remove(keys)
                    duplex.close_write()
            except OSError:  # the process no longer reads, and will end
                watched = [wake]


def _show(duplex: HijackedConnection, screen: int, wake: int, detached: threading.Event) -> None:
    try:
        while data := duplex.receive():
            if data.endswith(_DETACHED):
                detached.set()
                data = b"\r\n"
            while data:
                data = data[os.write(screen, data) :]
    except (OSError, ValueError):  # the connection or the terminal is lost, either of which is the end
        pass
    finally:
        with contextlib.suppress(OSError):
            os.write(wake, b"e")


def _first_size(resize: Callable[[int, int], None], done: threading.Event) -> None:
    """Send the size, and try again while the process has not started."""
    with contextlib.suppress(errors.DockerException):  # a lost connection, which the caller notices too
        for number in range(_RESIZE_TRIES):
            try:
                resize(*size())
            except errors.APIError:
                if done.wait(0.02 * (number + 1)):
                    return
            else:
                return


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Set the terminal to raw mode, and restore it at the end, also if a signal ends the program."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handlers(dict.fromkeys((signal.SIGTERM, signal.SIGHUP), on_signal)):
        try:
            tty.setraw(descriptor, termios.TCSADRAIN)  # TCSADRAIN keeps keys that were typed ahead
            yield
        finally:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _handlers(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    """Install signal handlers temporarily; only possible in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
