"""This program's terminal on a process in a container: raw mode, its size, and giving it back whatever happens."""

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
from dockerkit.transport.duplex import Duplex

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["check", "connect", "size"]

_RESIZE_TRIES = 10
# What engines write, with exit code 126, to say that the process of an exec goes on without us.
_DETACHED = b"read escape sequence\r\n"


def check() -> None:
    """Whether there is a terminal to work on.

    Raises:
        InvalidArgument: there is none, or this system has no such terminals.
    """
    if sys.platform == "win32":
        raise InvalidArgument("shell, attach_terminal: terminals of Windows are not supported; use exec() or popen()")
    if not _is_terminal():
        raise InvalidArgument("shell, attach_terminal: standard input is no terminal; use exec(input=...) or popen()")


def _is_terminal() -> bool:
    try:
        return os.isatty(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def size() -> tuple[int, int]:
    """Rows and columns of this program's terminal."""
    columns, rows = shutil.get_terminal_size()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        columns, rows = os.get_terminal_size(sys.stdin.fileno())
    return rows, columns


def connect(duplex: Duplex, resize: Callable[[int, int], None]) -> bool:
    """Keys go to the process, its output to the terminal, until one of them ends.

    Args:
        duplex: the connection to the process, which has a terminal there.
        resize: tells the process's terminal its rows and columns.

    Returns:
        Whether the engine said that the detach keys were typed.
    """
    keys, screen = sys.stdin.fileno(), sys.stdout.fileno()
    sys.stdout.flush()
    wake_read, wake_write = os.pipe()
    done, detached = threading.Event(), threading.Event()
    try:
        with _raw(keys), _window_changes(lambda: os.write(wake_write, b"r")):
            sizer = threading.Thread(target=_first_size, args=(resize, done), name="dockerkit-terminal-size")
            sizer.start()
            writer = threading.Thread(
                target=_show, args=(duplex, screen, wake_write, detached), name="dockerkit-terminal-output", daemon=True
            )
            writer.start()
            try:
                _pump(duplex, keys, wake_read, resize)
            finally:
                done.set()
                duplex.link.close()
                writer.join()
                sizer.join()
    finally:
        os.close(wake_read)
        os.close(wake_write)
    return detached.is_set()


def _pump(duplex: Duplex, keys: int, wake: int, resize: Callable[[int, int], None]) -> None:
    """Pass keys on until the output has ended."""
    watched = [keys, wake]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if wake in ready:
            news = os.read(wake, 1024)
            if b"e" in news:
                return
            with contextlib.suppress(errors.APIError):  # it may have ended just now
                resize(*size())
        if keys in ready:
            data = os.read(keys, 4096)
            try:
                if data:
                    duplex.send(data)
                else:
                    watched.remove(keys)
                    duplex.close_write()
            except OSError:  # it no longer reads; its end follows
                watched = [wake]


def _show(duplex: Duplex, screen: int, wake: int, detached: threading.Event) -> None:
    try:
        while data := duplex.receive():
            if data.endswith(_DETACHED):
                detached.set()
                data = b"\r\n"
            while data:
                data = data[os.write(screen, data) :]
    except (OSError, ValueError):  # the connection broke, or the screen is gone: both are the end
        pass
    finally:
        with contextlib.suppress(OSError):
            os.write(wake, b"e")


def _first_size(resize: Callable[[int, int], None], done: threading.Event) -> None:
    """Tell the size, again while the process is not there yet."""
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
    """The terminal passes each key on as it is; what it was before comes back, also when a signal ends the program."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)

    def restore() -> None:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handlers(dict.fromkeys((signal.SIGTERM, signal.SIGHUP), on_signal)):
        try:
            tty.setraw(descriptor, termios.TCSADRAIN)  # what was typed ahead stays
            yield
        finally:
            restore()


@contextlib.contextmanager
def _window_changes(changed: Callable[[], object]) -> Iterator[None]:
    with _handlers({signal.SIGWINCH: lambda number, frame: changed()}):
        yield


@contextlib.contextmanager
def _handlers(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    """Signal handlers for a while; only the main thread may have some."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
