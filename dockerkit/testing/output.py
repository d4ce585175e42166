"""How the fake engine gives out what its processes write: logs, attach and exec."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread

from dockerkit.testing.processes import FakeProcess, frame, stamp
from dockerkit.testing.routes import Call
from dockerkit.testing.server import Wire

__all__ = ["Form", "logs", "talk"]

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_POLL = 0.05


def media_type(call: Call, *, tty: bool) -> str:
    """Older engines always say raw."""
    return RAW if tty or call.engine.api_version in ("1.40", "1.41") else MULTIPLEXED


def follow(
    call: Call, process: FakeProcess, *, gone: Callable[[], bool], position: int = 0, end: bool = False
) -> Iterator[tuple[float, int, bytes]]:
    """What a process writes, from a position of its output on, until it has ended or the client is gone.

    With ``end``: only what is there.
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
        if not pieces and gone():
            return


@dataclass(frozen=True)
class Form:
    """Which output is wanted, and how it is sent.

    Attributes:
        tty: raw, instead of in frames.
        stdout, stderr: whether they are wanted.
    """

    tty: bool
    stdout: bool
    stderr: bool

    @classmethod
    def of(cls, call: Call, *, tty: bool) -> Form:
        """What a request's query asks for."""
        return cls(tty, call.request.flag("stdout"), call.request.flag("stderr"))

    def __call__(self, stream: int, data: bytes) -> bytes:
        """What is sent for a piece of output."""
        if not (self.stdout if stream == 1 else self.stderr):
            return b""
        return data if self.tty else frame(stream, data)


def logs(call: Call, process: FakeProcess | None, form: Form) -> None:
    """Answer with a process's output so far, or as it comes."""
    request = call.request
    since, until = (float(request.param(name) or 0) for name in ("since", "until"))
    tail = request.param("tail", "all")
    with call.wire.chunked(media_type(call, tty=form.tty)) as send:
        if process is None:
            return
        position = max(0, len(process.output) - int(tail)) if tail.isdigit() else 0
        for moment, stream, data in follow(
            call, process, gone=call.wire.gone, position=position, end=not request.flag("follow")
        ):
            if moment < since or (until and moment > until):
                continue
            if request.flag("timestamps"):
                mark = stamp(moment).encode()
                data = b"".join(mark + b" " + line for line in data.splitlines(keepends=True))
            send(form(stream, data))


def talk(call: Call, running: Callable[[], FakeProcess | None], form: Form, *, stdin: bool, position: int = 0) -> None:
    """Take the connection over: the process's output goes out, what the client sends is its input.

    Args:
        call: the request.
        running: the process, once it is there.
        form: what is sent of its output.
        stdin: whether there is input.
        position: of the output from which on it is sent.
    """
    call.wire.upgrade(media_type(call, tty=form.tty))
    # A client that has said that it sends no more still listens, so its end of the connection does not tell.
    while (process := running()) is None:
        if call.wire.closing.is_set():
            return
        with call.engine.changed:
            call.engine.changed.wait(_POLL)
    reader = Thread(target=_input, args=(call.wire, process), name="dockerkit-testing-input", daemon=True)
    if stdin:
        reader.start()
    for _, stream, data in follow(call, process, gone=call.wire.closing.is_set, position=position):
        if sent := form(stream, data):
            call.wire.send(sent)
    call.wire.half_close()
    if stdin:
        call.wire.close_reading()
        reader.join(5)


def _input(wire: Wire, process: FakeProcess) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := wire.recv():
            process.feed(data)
    process.end_input()
