"""exec, popen, and shells on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dockerkit import DockerClient, errors
from dockerkit.models.containers.exec import ContainerExec


@pytest.fixture
def container(client: DockerClient, box: Callable[..., str]) -> ContainerExec:
    return ContainerExec({"Id": box()}, client)


def test_exec_returns_output_and_exit_code(container: ContainerExec) -> None:
    done = container.exec(["sh", "-c", "cat; echo oh >&2; exit 3"], input=b"in\xff")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"in\xff", b"oh\n")
    assert container.exec("tr a-z A-Z", input="größe", text=True).stdout == "GRößE"
    assert container.exec(["cat"], input=io.BytesIO(b"file")).stdout == b"file"
    assert container.exec(["cat"], input=iter([b"a", b"b"])).stdout == b"ab"
    assert container.exec(["cat"], input=b"").stdout == b""
    with pytest.raises(errors.InvalidArgument, match="input: must be bytes, a binary file"):
        container.exec(["cat"], input=io.StringIO("text"))  # type: ignore[arg-type]


def test_environment_user_workdir_terminal(container: ContainerExec) -> None:
    script = ["sh", "-c", "echo $A $(id -u) $PWD; test -t 1 && echo tty"]
    done = container.exec(script, environment={"A": "x y"}, user="65534", workdir="/tmp", text=True)
    assert done.stdout == "x y 65534 /tmp\n"
    assert container.exec(script, environment=["A=z"], text=True, tty=True).stdout.split() == ["z", "0", "/", "tty"]


def test_check_raises_with_both_streams(container: ContainerExec) -> None:
    with pytest.raises(errors.ExecError, match="exited with code 4: bad") as caught:
        container.exec(["sh", "-c", "echo out; echo bad >&2; exit 4"], check=True)
    assert (caught.value.returncode, caught.value.stdout, caught.value.stderr) == (4, b"out\n", b"bad\n")
    assert container.exec(["true"], check=True).returncode == 0


def test_large_input_and_output_at_once(container: ContainerExec) -> None:
    data = os.urandom(5_000_000)
    assert container.exec(["cat"], input=data, timeout=60).stdout == data


def test_over_tcp(engine: Any, container: ContainerExec) -> None:
    data = os.urandom(2_000_000)
    with DockerClient(engine.tcp) as client:
        there = ContainerExec({"Id": container.id}, client)
        assert there.exec(["cat"], input=data, timeout=60).stdout == data
        with pytest.raises(errors.ExecTimeout, match="it was killed"):
            there.exec(["sleep", "1111"], timeout=0.5)


def test_process_may_leave_input_unread(container: ContainerExec) -> None:
    done = container.exec(["head", "-c", "5"], input=b"x" * 9_000_000, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"xxxxx")


def test_timeout_ends_the_process_and_its_children(container: ContainerExec) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.ExecTimeout, match="it was killed") as caught:
        container.exec(["sh", "-c", "echo begun; sleep 7777 & sleep 8888"], timeout=1.0)
    assert time.monotonic() - begun < 6
    assert caught.value.stdout == b"begun\n"
    assert not caught.value.still_running
    assert isinstance(caught.value, TimeoutError)
    listed = container.exec(["ps", "-o", "args"], text=True).stdout
    assert "7777" not in listed
    assert "8888" not in listed


def test_timeout_of_another_user_and_while_sending(container: ContainerExec) -> None:
    with pytest.raises(errors.ExecTimeout) as caught:
        container.exec(["sleep", "9999"], timeout=0.5, user="1000:1000", input=b"x" * 3_000_000)
    assert not caught.value.still_running
    assert "9999" not in container.exec(["ps", "-o", "args"], text=True).stdout


def test_timeout_reports_that_the_process_was_not_killed(container: ContainerExec) -> None:
    container.exec(["sh", "-c", "cp /bin/busybox /bin/doze && rm /bin/sh && ln -s busybox /bin/nosh"], check=True)
    with pytest.raises(errors.ExecTimeout, match="may still be running") as caught:
        container.exec(["sleep", "6666"], timeout=0.5)
    assert caught.value.still_running
    assert "6666" in container.exec(["ps", "-o", "args"], text=True).stdout


@pytest.mark.synchronous  # a signal interrupts this thread, not that of the event loop
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, LookupError])
@pytest.mark.parametrize("delay", [0.002, 0.01, 0.03, 0.7])
def test_exception_of_a_signal_handler_ends_the_process(
    container: ContainerExec, interruption: type[BaseException], delay: float
) -> None:
    def handle(*_: object) -> None:
        raise interruption("stop")

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with pytest.raises(interruption, match="stop"):
            signal.setitimer(signal.ITIMER_REAL, delay)
            container.exec(["sleep", "2222"])
    finally:
        signal.signal(signal.SIGALRM, before)
    assert "2222" not in container.exec(["ps", "-o", "args"], text=True).stdout


def test_failing_input_ends_the_process(container: ContainerExec) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"one"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        container.exec(["sh", "-c", "cat; sleep 3333"], input=blocks())
    assert "3333" not in container.exec(["ps", "-o", "args"], text=True).stdout


def test_fast_command_within_its_timeout(container: ContainerExec) -> None:
    for wrong in (0, -1):
        with pytest.raises(errors.InvalidArgument, match="timeout"):
            container.exec(["true"], timeout=wrong)
    assert container.exec(["echo", "hi"], timeout=30).stdout == b"hi\n"


def test_process_talks_both_ways(container: ContainerExec) -> None:
    with container.popen(["sh", "-c", 'while read a; do echo "<$a>"; echo "!$a" >&2; done; exit 5']) as process:
        assert process.stdin is not None
        for word in (b"one", b"two"):
            process.stdin.write(word + b"\n")
            pieces = sorted([process.read_piece(10), process.read_piece(10)])  # type: ignore[type-var]
            assert pieces == [("stderr", b"!" + word + b"\n"), ("stdout", b"<" + word + b">\n")]
        with pytest.raises(TimeoutError):
            process.read_piece(0.2)
        assert process.poll() is None
        process.stdin.close()
        with pytest.raises(ValueError, match="closed"):
            process.stdin.write(b"x")
        assert list(process) == []
        assert process.wait(10) == 5
        assert process.returncode == 5


def test_communicate_and_lines(container: ContainerExec) -> None:
    with container.popen(["sort"]) as process:
        assert process.communicate("b\na\n", timeout=30) == (b"a\nb\n", b"")
        assert process.wait() == 0
    script = r"printf 'caf\303'; sleep 0.2; printf '\251\nhalf'; printf 'err\r\n' >&2"
    with container.popen(["sh", "-c", script], stdin=False) as process:
        assert process.stdin is None
        assert sorted(process.lines()) == [("stderr", "err"), ("stdout", "café"), ("stdout", "half")]
    with container.popen(["sleep", "100"]) as process:
        with pytest.raises(errors.ExecTimeout):
            process.communicate(timeout=0.3)


def test_reader_and_writer_in_two_threads(container: ContainerExec) -> None:
    blocks = [os.urandom(50_000) for _ in range(60)]
    with container.popen(["cat"]) as process:
        assert process.stdin is not None
        stdin = process.stdin

        def write() -> None:
            for block in blocks:
                stdin.write(block)
            stdin.close()

        writer = threading.Thread(target=write)
        writer.start()
        assert b"".join(data for _, data in process) == b"".join(blocks)
        writer.join()


def test_signals_and_the_end_of_the_block(container: ContainerExec) -> None:
    with container.popen(
        ["sh", "-c", "trap 'echo got; exit 9' TERM; echo up; while :; do sleep 0.05; done 2>/dev/null"]
    ) as process:
        assert process.read_piece(10) == ("stdout", b"up\n")
        assert process.terminate()
        assert b"".join(data for stream, data in process if stream == "stdout") == b"got\n"
        assert process.wait(10) == 9
    with container.popen(["sleep", "5555"]) as process:
        pass
    assert "5555" not in container.exec(["ps", "-o", "args"], text=True).stdout


def test_closing_from_another_thread_ends_the_loop(container: ContainerExec) -> None:
    process = container.popen(["sleep", "4444"])
    threading.Timer(0.3, process.close).start()
    assert list(process) == []
    process.kill()


def test_terminal_size(container: ContainerExec) -> None:
    with container.popen(["sh", "-c", "echo up; read x; stty size"], tty=True) as process:
        assert process.read_piece(20) == ("stdout", b"up\r\n")
        process.resize(31, 97)
        assert process.stdin is not None
        process.stdin.write("\n")
        text = b"".join(data for _, data in process).decode()
        assert "31 97" in text


def test_stopped_container_refuses(client: DockerClient, box: Callable[..., str]) -> None:
    stopped = ContainerExec({"Id": box(start=False)}, client)
    with pytest.raises(errors.APIError):
        stopped.exec(["true"])


# --- on a terminal -----------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from dockerkit import DockerClient
from dockerkit.models.containers.exec import ContainerExec
host, container, action = sys.argv[1:4]
with DockerClient(host) as client:
    thing = ContainerExec({"Id": container}, client)
    print("code", thing.shell(["sh"]) if action == "shell" else thing.attach_terminal(), flush=True)
"""


class Terminal:
    """A program with its own terminal."""

    def __init__(self, *arguments: str, rows: int = 24, columns: int = 80) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (rows, columns))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.text = self.before_last = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} did not come: {self.text!r}"
            if select.select([self.master], [], [], left)[0]:
                self.text += os.read(self.master, 65536).decode("utf-8", "replace")
        self.before_last, self.text = self.text[: found.start()], self.text[found.end() :]
        return found

    def ask(self, command: str, pattern: str) -> None:
        """Type a command until its output is as expected, since sizes are sent separately from keys."""
        for _ in range(40):
            self.type(f"{command}; echo a''sked\n")
            self.expect(r"asked")
            if re.search(pattern, self.before_last):
                return
            time.sleep(0.1)
        raise AssertionError(f"{command} never answered {pattern}")

    @property
    def restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **size: Any) -> Terminal:
        opened.append(Terminal(*arguments, **size))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


def appears(container: ContainerExec, command: str) -> None:
    deadline = time.monotonic() + 20
    while command not in container.exec(["ps", "-o", "args"], text=True).stdout:
        assert time.monotonic() < deadline, f"{command} does not run"


def test_shell(container: ContainerExec, client: DockerClient, terminal: Callable[..., Terminal]) -> None:
    screen = terminal(client.endpoint.host, str(container.id), "shell", rows=33, columns=99)
    screen.expect(r"# ")
    assert not screen.restored
    screen.ask("stty size", r"33 99")
    screen.type("echo $((6*7))x\n")
    screen.expect(r"42x")
    termios.tcsetwinsize(screen.slave, (40, 120))
    screen.process.send_signal(signal.SIGWINCH)
    screen.ask("stty size", r"40 120")
    screen.type("sleep 3333\n")
    appears(container, "sleep 3333")
    screen.type("\x03")  # for the process in the container, not for this program
    screen.type("exit 7\n")
    screen.expect(r"code 7")
    assert screen.process.wait(20) == 0
    assert screen.restored


def test_detach_keys_leave_it_running(
    container: ContainerExec, client: DockerClient, terminal: Callable[..., Terminal]
) -> None:
    screen = terminal(client.endpoint.host, str(container.id), "shell")
    screen.expect(r"# ")
    screen.type("trap '' HUP; sleep 4321\n")  # engines close the terminal there, which ends a shell
    appears(container, "sleep 4321")
    screen.type("\x10\x11")
    screen.expect(r"code None")
    assert screen.process.wait(20) == 0
    assert screen.restored
    assert "4321" in container.exec(["ps", "-o", "args"], text=True).stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_terminal_is_restored_after_a_signal(
    container: ContainerExec, client: DockerClient, terminal: Callable[..., Terminal], number: signal.Signals
) -> None:
    screen = terminal(client.endpoint.host, str(container.id), "shell")
    screen.expect(r"# ")
    screen.process.send_signal(number)
    assert screen.process.wait(20) == 128 + number
    assert screen.restored


def test_terminal_is_restored_if_the_container_stops(
    container: ContainerExec, client: DockerClient, terminal: Callable[..., Terminal]
) -> None:
    screen = terminal(client.endpoint.host, str(container.id), "shell")
    screen.expect(r"# ")
    client.api.kill(str(container.id))
    screen.expect(r"code 137")
    screen.process.wait(20)
    assert screen.restored


def test_attach_terminal(client: DockerClient, box: Callable[..., str], terminal: Callable[..., Terminal]) -> None:
    main = box(["sh"], tty=True, stdin_open=True)
    screen = terminal(client.endpoint.host, main, "attach", rows=30, columns=90)
    screen.type("\n")  # typed ahead
    screen.expect(r"# ")
    screen.ask("stty size", r"30 90")
    screen.type("exit 6\n")
    screen.expect(r"code 6")
    assert screen.process.wait(20) == 0
    assert screen.restored


def test_attach_terminal_requires_two_terminals(
    client: DockerClient, container: ContainerExec, terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = terminal(client.endpoint.host, str(container.id), "attach")
    screen.expect(r"InvalidArgument: attach_terminal: the container has no terminal")
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(errors.InvalidArgument, match="not a terminal"):
            container.shell()


@pytest.mark.parametrize(
    ("options", "news"),
    [
        ({"cmd": ["nosuch"]}, "the program 'nosuch' does not exist in container"),
        ({"cmd": ["nosuch"], "tty": True}, "the program 'nosuch' does not exist in container"),
        ({"cmd": ["true"], "workdir": "/no/such"}, "the directory '/no/such' does not exist in container"),
        ({"cmd": ["true"], "user": "nobodyhere"}, "the user 'nobodyhere' does not exist in container"),
    ],
)
def test_command_that_cannot_start_raises_exec_start_error(
    container: ContainerExec, options: dict[str, Any], news: str
) -> None:
    with pytest.raises(errors.ExecStartError) as caught:
        container.exec(**options)
    assert str(caught.value).startswith(news)
    assert caught.value.returncode in (126, 127)
    assert caught.value.reason
    with pytest.raises(errors.ExecStartError, match=news), container.popen(**options) as process:
        process.communicate()


def test_exit_codes_of_started_programs_raise_no_start_error(container: ContainerExec) -> None:
    for code in (126, 127):
        assert container.exec(["sh", "-c", f"echo OCI runtime exec failed; exit {code}"]).returncode == code
    assert container.exec(["sh", "-c", "nosuch"]).returncode == 127
