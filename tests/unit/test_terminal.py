"""Shells and attached terminals, on a pseudo-terminal: keys, output, sizes, signals, and the restored settings."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.models.containers import Container
from dockerkit.testing.server import Connection

ID = "c" * 64
Talk = Callable[[Connection], None]


class Terminal:
    """A pseudo-terminal that is standard input and output; the test types and reads at its other end."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(24, 80)
        self.stdin = os.fdopen(os.dup(self.slave), "r")
        self.stdout = os.fdopen(os.dup(self.slave), "w")
        self.before = termios.tcgetattr(self.slave)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def run(self, function: Callable[..., int | None], *arguments: Any, **options: Any) -> int | None:
        """Call a function with this terminal as standard input and output, as pytest sets its own for each test."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", self.stdin)
            patch.setattr(sys, "stdout", self.stdout)
            return function(*arguments, **options)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def read_until(self, text: bytes) -> bytes:
        seen = b""
        while text not in seen:
            seen += os.read(self.master, 4096)
        return seen

    @property
    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & (termios.ECHO | termios.ICANON)

    @property
    def is_restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def unread(self) -> int:
        """Return the number of keys that were not read yet."""
        number = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, number)
        return number[0]

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        self.stdin.close()
        with contextlib.suppress(OSError):
            self.stdout.close()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def container(scripted: ScriptedEngine) -> Iterator[Container]:
    with DockerClient(scripted.host, version="1.51") as client:
        yield Container({"Id": ID}, client)


def script(scripted: ScriptedEngine, talk: Talk, code: int = 0, running: bool = False) -> None:
    """Script an exec whose process talks so."""
    scripted.on("POST", f"/containers/{ID}/exec", Answer.json({"Id": "e1"}, 201))
    scripted.on("POST", "/exec/e1/start", Answer.upgraded(talk=talk))
    scripted.on("POST", "/exec/e1/resize", Answer.empty(200))
    scripted.on("GET", "/exec/e1/json", Answer.json({"Running": running, "ExitCode": None if running else code}))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def sizes(scripted: ScriptedEngine, path: str = "/exec/e1/resize") -> list[tuple[str, str]]:
    """Return the rows and columns of all resize requests."""
    return [(item.param("h"), item.param("w")) for item in list(scripted.requests) if item.path == path]


def test_shell_sends_keys_shows_output_and_returns_the_exit_code(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    seen: dict[str, Any] = {}

    def talk(wire: Connection) -> None:
        until(lambda: terminal.is_raw)  # before that, ctrl-c would discard what was typed
        terminal.type(b"\x03ls\r")
        keys = b""
        while len(keys) < 4:
            keys += wire.recv()
        wire.send(b"got it\r\n")
        seen.update(keys=keys, raw=terminal.is_raw, screen=terminal.read_until(b"got it\r\n"))
        until(lambda: sizes(scripted))

    script(scripted, talk, code=3)
    terminal.resize(40, 132)
    assert terminal.run(container.shell, user="me", workdir="/x", environment={"A": "b"}, detach_keys="ctrl-a") == 3
    assert seen == {"keys": b"\x03ls\r", "raw": True, "screen": b"got it\r\n"}
    assert terminal.is_restored
    assert sizes(scripted) == [("40", "132")]
    created, started = scripted.json_bodies()[:2]
    assert isinstance(created, dict) and isinstance(started, dict)
    assert created["Cmd"][:2] == ["sh", "-c"] and "bash" in created["Cmd"][2]
    assert (created["Tty"], created["AttachStdin"], created["User"], created["WorkingDir"], created["Env"]) == (
        True,
        True,
        "me",
        "/x",
        ["A=b"],
    )
    assert created["DetachKeys"] == "ctrl-a" and created["ConsoleSize"] == [40, 132]
    assert started["ConsoleSize"] == [40, 132]


def test_shell_returns_none_if_the_user_detached(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    def talk(wire: Connection) -> None:
        wire.send(b"before\r\n")
        seen.append(terminal.read_until(b"before\r\n"))
        wire.send(b"read escape sequence\r\n")

    seen: list[bytes] = []
    script(scripted, talk, code=126)
    assert terminal.run(container.shell, ["sh"]) is None
    terminal.type(b"x")  # so that reading does not wait
    assert b"escape" not in os.read(terminal.master, 4096)


def test_shell_that_is_still_running_after_its_output_returns_none(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    script(scripted, lambda wire: None, running=True)
    assert terminal.run(container.shell, ["sh"]) is None
    assert terminal.is_restored


def test_window_changes_resize_the_shell(scripted: ScriptedEngine, container: Container, terminal: Terminal) -> None:
    def talk(wire: Connection) -> None:
        until(lambda: sizes(scripted))
        terminal.resize(50, 100)
        os.kill(os.getpid(), signal.SIGWINCH)
        until(lambda: ("50", "100") in sizes(scripted))

    before = signal.getsignal(signal.SIGWINCH)
    script(scripted, talk)
    assert terminal.run(container.shell, ["sh"]) == 0
    assert signal.getsignal(signal.SIGWINCH) == before


def test_size_is_sent_again_while_the_process_has_not_started(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    script(scripted, lambda wire: until(lambda: len(sizes(scripted)) == 3))
    refusal = Answer.error(409, "exec e1 is not running")
    scripted.on("POST", "/exec/e1/resize", refusal, refusal, Answer.empty(200))
    assert terminal.run(container.shell, ["sh"]) == 0
    assert sizes(scripted) == [("24", "80")] * 3


def test_connection_that_is_lost_while_the_size_is_sent_ends_the_shell_quietly(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    script(scripted, lambda wire: until(lambda: sizes(scripted)), code=2)
    scripted.on("POST", "/exec/e1/resize", Answer.raw(b""))  # closes the connection, without a response
    assert terminal.run(container.shell, ["sh"]) == 2
    assert len(sizes(scripted)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_that_ends_the_program_restores_the_terminal(
    scripted: ScriptedEngine, container: Container, terminal: Terminal, number: signal.Signals
) -> None:
    def talk(wire: Connection) -> None:
        until(lambda: terminal.is_raw)
        os.kill(os.getpid(), number)
        while not wire.gone():
            time.sleep(0.005)

    before = signal.getsignal(number)
    script(scripted, talk)
    with pytest.raises(SystemExit) as caught:
        terminal.run(container.shell, ["sh"])
    assert caught.value.code == 128 + number
    assert terminal.is_restored
    assert signal.getsignal(number) == before


def test_terminal_that_disappears_ends_the_input(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    def talk(wire: Connection) -> None:
        until(lambda: sizes(scripted))
        terminal.hang_up()
        rest.append(wire.recv())
        wire.send(b"nobody reads this")

    rest: list[bytes] = []
    script(scripted, talk, code=1)
    assert terminal.run(container.shell, ["sh"]) == 1
    assert rest == [b""]


def test_keys_for_a_process_that_no_longer_reads_are_dropped(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    def talk(wire: Connection) -> None:
        until(lambda: terminal.is_raw)
        wire.close_reading()
        terminal.type(b"ignored")
        until(lambda: terminal.unread() == 0)
        wire.send(b"bye\r\n")
        terminal.read_until(b"bye\r\n")

    script(scripted, talk, code=4)
    assert terminal.run(container.shell, ["cat"]) == 4


def test_shell_in_another_thread_works_without_signal_handlers(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    def talk(wire: Connection) -> None:
        handlers.append(signal.getsignal(signal.SIGTERM))
        wire.send(wire.recv())

    handlers: list[object] = []
    codes: list[int | None] = []
    script(scripted, talk, code=5)
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=lambda: codes.append(terminal.run(container.shell, ["sh"])))
    thread.start()
    until(lambda: terminal.is_raw)
    terminal.type(b"hello")
    terminal.read_until(b"hello")
    thread.join(20)
    assert (codes, handlers) == ([5], [before])
    assert terminal.is_restored


@pytest.mark.parametrize("call", ["shell", "attach_terminal"])
@pytest.mark.parametrize("stdin", ["a pipe", "closed", "none"])
def test_shell_without_a_terminal_is_refused(
    scripted: ScriptedEngine, container: Container, monkeypatch: pytest.MonkeyPatch, call: str, stdin: str
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as file, os.fdopen(writing):
        monkeypatch.setattr(sys, "stdin", None if stdin == "none" else file)
        if stdin == "closed":
            file.close()
        with pytest.raises(errors.InvalidArgument, match=r"standard input is not a terminal; use exec\(input=...\)"):
            getattr(container, call)()
    assert not scripted.requests


def attachable(scripted: ScriptedEngine, talk: Talk, state: dict[str, Any], tty: bool = True) -> None:
    facts = {"Id": ID, "Config": {"Tty": tty, "OpenStdin": True}}
    running = Answer.json({**facts, "State": {"Running": True}})
    scripted.on("GET", f"/containers/{ID}/json", running, Answer.json({**facts, "State": state}))
    scripted.on("POST", f"/containers/{ID}/attach", Answer.upgraded(talk=talk))
    scripted.on("POST", f"/containers/{ID}/resize", Answer.empty(200))


@pytest.mark.parametrize(
    ("state", "code"), [({"Running": False, "ExitCode": 7}, 7), ({"Running": True, "ExitCode": 0}, None)]
)
def test_attached_terminal_returns_the_exit_code_or_none_if_detached(
    scripted: ScriptedEngine, container: Container, terminal: Terminal, state: dict[str, Any], code: int | None
) -> None:
    def talk(wire: Connection) -> None:
        until(lambda: sizes(scripted, f"/containers/{ID}/resize"))
        wire.send(b"hello\r\n")
        terminal.read_until(b"hello\r\n")

    attachable(scripted, talk, state)
    assert terminal.run(container.attach_terminal, detach_keys="ctrl-x", logs=True) == code
    attached = next(item for item in scripted.requests if item.path.endswith("/attach"))
    assert {name: attached.param(name) for name in ("stdin", "stdout", "stream", "logs", "detachKeys")} == {
        "stdin": "1",
        "stdout": "1",
        "stream": "1",
        "logs": "1",
        "detachKeys": "ctrl-x",
    }
    assert terminal.is_restored


def test_attaching_to_a_container_without_terminal_is_refused(
    scripted: ScriptedEngine, container: Container, terminal: Terminal
) -> None:
    scripted.on("GET", f"/containers/{ID}/json", Answer.json({"Id": ID, "Config": {"Tty": False}}))
    with pytest.raises(errors.InvalidArgument, match="the container has no terminal; create it with tty=True"):
        terminal.run(container.attach_terminal)
    assert len(scripted.requests) == 1
