"""Costs grow linearly with untrusted input, and memory is bounded. Counted, without a clock."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterable

import pytest
from scripted_engine import Answer, ScriptedEngine

from dockerkit import DockerClient, errors
from dockerkit.errors.quoting import MAX_MESSAGE, MAX_QUOTE, quoted
from dockerkit.models.containers.conditions import Log
from dockerkit.models.containers.log_lines import LogEntry, LogParser
from dockerkit.progress import Progress
from dockerkit.streams.frames import FrameParser
from dockerkit.streams.lines import LARGEST_LINE, LinePiece, LineSplitter

TIME = b"2026-11-25T17:57:29.968237123Z "
MIB = 1024 * 1024


def allocated(step: Callable[[bytes], object], blocks: Iterable[bytes]) -> tuple[int, int]:
    """Return the bytes that all steps allocate together, and the peak."""
    total = most = 0
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        for block in blocks:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            step(block)
            peak = tracemalloc.get_traced_memory()[1]
            total += peak - before
            most = max(most, peak - start)
    finally:
        tracemalloc.stop()
    return total, most


def feed_log(*, framed: bool) -> Callable[[bytes], object]:
    parser = LogParser(framed=framed)
    return lambda block: parser.feed(1, TIME + block)


def feed_progress() -> Callable[[bytes], object]:
    progress = Progress()
    progress.feed({"stream": "Step 1/1 : RUN x\n"})
    return lambda block: progress.feed({"stream": block.decode()})


READERS: dict[str, Callable[[], Callable[[bytes], object]]] = {
    "log": lambda: feed_log(framed=True),
    "terminal's log": lambda: feed_log(framed=False),
    "lines": lambda: LineSplitter().feed,
    "classic build": feed_progress,
}


@pytest.mark.parametrize("name", READERS)
def test_line_without_end_costs_linear_time_and_bounded_memory(name: str) -> None:
    block = b"x" * 16384
    small, most = allocated(READERS[name](), [block] * 256)
    large, still = allocated(READERS[name](), [block] * 512)
    assert large < 2.5 * small
    assert max(most, still) < 10 * MIB


def test_frame_in_single_bytes_costs_linear_time() -> None:
    def cost(size: int) -> int:
        data = bytes([1, 0, 0, 0]) + (MIB - 1).to_bytes(4, "big") + b"x" * size
        return allocated(FrameParser().feed, [data[at : at + 1] for at in range(len(data))])[0]

    assert cost(16384) < 2.5 * cost(8192)


@pytest.mark.parametrize("framed", [True, False])
def test_long_lines_are_split_without_loss(framed: bool) -> None:
    parser = LogParser(framed=framed)
    line = ("ü" * 8191 + "-x").encode() * 200  # messages may split characters
    messages = [TIME + line[start : start + 16384] for start in range(0, len(line), 16384)]
    entries: list[LogEntry] = []
    for message in [*messages, *([] if framed else [b"\n"]), TIME + b"after\n"]:
        if framed and message.endswith(b"after\n"):
            entries += parser.feed(1, TIME + b"\n")
        entries += parser.feed(1, message)
    *pieces, last, after = entries
    assert [entry.partial for entry in entries] == [True] * len(pieces) + [False, False]
    assert len(pieces) == len(line) // LARGEST_LINE
    assert "".join(entry.text for entry in [*pieces, last]) == line.decode()
    assert (after.text, after.timestamp) == ("after", last.timestamp)


def test_log_is_searched_behind_a_long_line() -> None:
    parser, wanted = LogParser(), Log("ready")
    for _ in range(200):
        for entry in parser.feed(1, TIME + b"x" * 16384):
            wanted.on_log_line(entry)
    for entry in parser.feed(1, TIME + b"is ready\n"):
        wanted.on_log_line(entry)
    assert len(wanted.matches) == 1


def test_pieces_of_lines_end_between_characters() -> None:
    for text in ("é", "漢", "😀"):
        for shift in range(4):
            splitter = LineSplitter()
            data = b"a" * shift + text.encode() * (LARGEST_LINE // len(text.encode()) + 2)
            (piece,) = splitter.feed(data)
            assert isinstance(piece, LinePiece)
            assert piece.decode() + splitter.close().decode() == data.decode()
    splitter = LineSplitter()
    assert b"".join(splitter.feed(b"\x80" * (LARGEST_LINE + 1))) + splitter.close() == b"\x80" * (LARGEST_LINE + 1)


HOSTILE = b"\x1b]0;title\x07\x1b[2Jred\x9b31m" + b"x" * 8 * MIB + b"\x1b[31mthe reason\x00\x07"


@pytest.mark.parametrize(
    "error",
    [
        errors.ExecError("c", 1, b"", HOSTILE),
        errors.ExecError("c", 1, "", HOSTILE.decode("latin-1")),
        errors.ContainerError(None, 1, "c", "i", HOSTILE),  # type: ignore[arg-type]
        errors.WaitTimeout("not so", "web", {"Health": {"Log": [{"Output": HOSTILE.decode("latin-1")}]}}),
        errors.WaitTimeout("not so", "web", {}, [HOSTILE.decode("latin-1")]),
        errors.BuildError("failed", log=[HOSTILE.decode("latin-1")], step="RUN x"),
        errors.ConvergenceFailed("failed", "web", None, [HOSTILE.decode("latin-1")]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_quote_the_end_of_output_without_control_characters(error: errors.DockerException) -> None:
    text = str(error)
    assert len(text) < MAX_QUOTE + 200
    assert "the reason" in text
    assert not {char for char in text if char < " " and char != "\n"}
    assert "\x9b" not in text


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_has_a_bounded_message_without_control_characters(name: str) -> None:
    kind = getattr(errors, name)
    if not (isinstance(kind, type) and issubclass(kind, errors.DockerException)):
        pytest.skip("not an error of ours")
    hostile = HOSTILE.decode("latin-1")
    try:
        error = kind(hostile)
    except TypeError:
        given = {"ExecError": (1, b"", b""), "ExecStartError": (1, "n", "r"), "ExecTimeout": (1, b"", b"", True)}
        error = kind(hostile, *given[name]) if name in given else kind(None, 1, hostile, "i", b"")
    for text in (str(error), repr(error)):
        assert len(text) < 2 * MAX_MESSAGE
        assert "\x1b" not in text
        assert "\x07" not in text


def test_errors_of_streams_have_a_bounded_message_too(scripted: ScriptedEngine) -> None:
    record = json.dumps({"error": HOSTILE.decode("latin-1")})
    scripted.on("POST", "/images/create", Answer.text(f"{record}\n"))
    with DockerClient(scripted.host, version="1.51") as client, pytest.raises(errors.PullError) as caught:
        client.images.pull("app", tag="1")
    assert len(str(caught.value)) < 2 * MAX_MESSAGE
    assert "\x1b" not in str(caught.value)


def test_short_output_is_quoted_whole() -> None:
    assert quoted(b"no such file\n") == "no such file"
    assert quoted(None) == ""
    assert quoted("\x1b[31mred\x1b[0m") == "red"
