"""Send the output of the fake engine's processes: logs, attach and exec."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread

from dockerkit.testing.fake_engine.processes import FakeProcess, frame, stamp
from dockerkit.testing.fake_engine.routes import RouteContext
from dockerkit.testing.server import Connection

__all__ = ["OutputFormat", "logs", "serve_hijacked"]

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_POLL = 0.05


def media_type(call: RouteContext, *, tty: bool) -> str:
    """Media type of output; older engines always report the raw one."""
    return RAW if tty or call.engine.api_version in ("1.40", "1.41") else MULTIPLEXED


def follow(
    call: RouteContext, process: FakeProcess, *, is_gone: Callable[[], bool], position: int = 0, end: bool = False
) -> Iterator[tuple[float, int, bytes]]:
    """Yield a process's output from a position on, until it has ended or the client has disconnected.

    With ``end``, only the existing output.
    """
    changed = call.engine.changed
    while True:
        with changed:
            pieces = process.output[position:]
            if not pieces:
                if end or process.exit_code is not None:
                    return
                changed.wait(_POLL)
        position += len(pieces)
        yield from pieces
        if not pieces and is_gone():
            return


@dataclass(frozen=True)
class OutputFormat:
    """Requested output and its format: raw for a terminal, otherwise in frames."""

    tty: bool
    stdout: bool
    stderr: bool

    @classmethod
    def of(cls, call: RouteContext, *, tty: bool) -> OutputFormat:
        """Parse the query of a request."""
        return cls(tty, call.request.flag("stdout"), call.request.flag("stderr"))

    def __call__(self, stream: int, data: bytes) -> bytes:
        """Return the bytes to send for a block of output."""
        if not (self.stdout if stream == 1 else self.stderr):
            return b""
        return data if self.tty else frame(stream, data)


def logs(call: RouteContext, process: FakeProcess | None, output_format: OutputFormat) -> None:
    """Send a process's output, existing or following."""
    request = call.request
    since, until = (float(request.param(name) or 0) for name in ("since", "until"))
    tail = request.param("tail", "all")
    with call.wire.chunked(media_type(call, tty=output_format.tty)) as send:
        if process is None:
            return
        position = max(0, len(process.output) - int(tail)) if tail.isdigit() else 0
        end = not request.flag("follow")
        for moment, stream, data in follow(call, process, is_gone=call.wire.gone, position=position, end=end):
            if moment < since or (until and moment > until):
                continue
            prefix = stamp(moment).encode() + b" " if request.flag("timestamps") else b""
            for line in data.splitlines(keepends=True):  # a frame for each line, like engines
                send(output_format(stream, prefix + line))


def serve_hijacked(
    call: RouteContext,
    running: Callable[[], FakeProcess | None],
    output_format: OutputFormat,
    *,
    stdin: bool,
    position: int = 0,
) -> None:
    """Take over the connection: send the process's output from a position on, and receive its input with `stdin`.

    `running` returns the process once it exists.
    """
    call.wire.upgrade(media_type(call, tty=output_format.tty))
    # A client that has closed its sending side may still receive, so that does not end the output.
    while (process := running()) is None:
        if call.wire.closing.is_set():
            return
        with call.engine.changed:
            call.engine.changed.wait(_POLL)
    reader = Thread(target=_input, args=(call.wire, process), name="dockerkit-testing-input", daemon=True)
    if stdin:
        reader.start()
    for _, stream, data in follow(call, process, is_gone=call.wire.closing.is_set, position=position):
        if encoded := output_format(stream, data):
            call.wire.send(encoded)
    call.wire.half_close()
    if stdin:
        call.wire.close_reading()
        reader.join(5)


def _input(wire: Connection, process: FakeProcess) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := wire.recv():
            process.feed(data)
    process.end_input()
