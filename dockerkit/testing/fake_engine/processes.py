"""Scripted processes of the fake engine's containers, with output, input, signals and an exit code."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

__all__ = ["Behaviour", "FakeProcess", "Program", "Rule", "frame", "stamp"]


def frame(stream: int, data: bytes) -> bytes:
    """Return one frame of multiplexed output."""
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def stamp(moment: float) -> str:
    """Return a time in the Engine's format, with nanoseconds."""
    seconds = int(moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int((moment - seconds) * 1e9):09d}Z"


class FakeProcess:
    """A running process, as seen by its script.

    Attributes:
        command: arguments, including the entrypoint.
        environment: environment variables.
        stdin: input from attached clients; ends when they close it, or when the process is stopped.
        signal: signal that stopped it; None while running.
    """

    def __init__(self, command: Sequence[str], environment: Sequence[str], changed: threading.Condition) -> None:
        self.command: list[str] = list(command)
        self.environment: dict[str, str] = {
            name: value for name, _, value in (pair.partition("=") for pair in environment)
        }
        self.signal: str | None = None
        self.exit_code: int | None = None
        self.output: list[tuple[float, int, bytes]] = []
        self.stdin: IO[bytes] = io.BufferedReader(_Input(self))
        self._changed = changed
        self._input = bytearray()
        self._input_ended = False

    def write(self, data: bytes | str, *, stderr: bool = False) -> None:
        """Write to stdout or stderr."""
        encoded = data.encode() if isinstance(data, str) else data
        if encoded:
            with self._changed:
                self.output.append((time.time(), 2 if stderr else 1, encoded))
                self._changed.notify_all()

    def sleep(self, seconds: float | None) -> bool:
        """Wait for some seconds (None: indefinitely), or until the process is stopped.

        Returns:
            Whether it has been stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.signal is not None, seconds)
            return self.signal is not None

    def stop(self, signal: str) -> None:
        """Send a signal that ends the process."""
        with self._changed:
            self.signal = self.signal or signal
            self._changed.notify_all()

    def feed(self, data: bytes) -> None:
        """Send input to the process."""
        with self._changed:
            self._input += data
            self._changed.notify_all()

    def end_input(self) -> None:
        """End the input."""
        with self._changed:
            self._input_ended = True
            self._changed.notify_all()

    def _read_input(self, size: int) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._input or self._input_ended or self.signal is not None)
            data = bytes(self._input[:size])
            del self._input[:size]
            return data


class _Input(io.RawIOBase):
    def __init__(self, process: FakeProcess) -> None:
        self._process = process

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._process._read_input(len(buffer))
        buffer[: len(data)] = data
        return len(data)


Program = Callable[[FakeProcess], "int | None"]
"""Script of a process; returns the exit code (None for 0)."""


@dataclass(frozen=True)
class Behaviour:
    """Behavior of a container's or an exec's process; see :meth:`FakeEngine.when`."""

    stdout: bytes | str = b""
    stderr: bytes | str = b""
    exit_code: int = 0
    seconds: float | None = 0.0
    program: Program | None = None

    def start(self, process: FakeProcess) -> None:
        """Write the output immediately, so that it is available when the start call returns."""
        if self.program is None:
            process.write(self.stdout)
            process.write(self.stderr, stderr=True)

    def finish(self, process: FakeProcess) -> int:
        """Run to the end, and return the exit code."""
        if self.program is not None:
            code = self.program(process)
        else:
            process.sleep(self.seconds)
            code = self.exit_code
        if process.signal is not None:
            return 137 if process.signal in ("KILL", "SIGKILL", "9") else 143
        return code or 0


@dataclass(frozen=True)
class Rule:
    """A rule that assigns behavior to processes of an image, of a command, or of any."""

    behaviour: Behaviour
    image: str | None = None
    command: tuple[str, ...] | None = None
    of_exec: bool = False

    def matches(self, images: Sequence[str], command: Sequence[str], *, of_exec: bool) -> bool:
        """Return whether a process matches."""
        return (
            self.of_exec is of_exec
            and (self.image is None or self.image in images)
            and (self.command is None or self.command == tuple(command))
        )
