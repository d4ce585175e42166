"""The parsers of frames and JSON lines, with any segmentation."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockerkit.errors import StreamError, StreamParseError, StreamTruncated
from dockerkit.streams import frames, jsonlines

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=200)), max_size=12)
CUTS = st.lists(st.integers(1, 60), max_size=60)
RECORDS = st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3), max_size=10)


def framed(items: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BxxxL", stream, len(payload)) + payload for stream, payload in items)


def blocks(data: bytes, sizes: list[int]) -> list[bytes]:
    cut = []
    for size in sizes:
        cut.append(data[:size])
        data = data[size:]
    return [*cut, data]


@given(FRAMES, CUTS)
def test_frames_do_not_depend_on_chunk_borders(items: list[tuple[int, bytes]], sizes: list[int]) -> None:
    parser = frames.FrameParser()
    found = [frame for block in blocks(framed(items), sizes) for frame in zip(*parser.feed(block), strict=True)]
    parser.close()
    assert found == items


@given(FRAMES.filter(bool), st.data())
def test_truncated_frame_is_an_error(items: list[tuple[int, bytes]], data: st.DataObject) -> None:
    content = framed(items)
    borders, position = {0}, 0
    for _, payload in items:
        position += 8 + len(payload)
        borders.add(position)
    end = data.draw(st.sampled_from([n for n in range(len(content)) if n not in borders]))
    parser = frames.FrameParser()
    parser.feed(content[:end])
    with pytest.raises(StreamTruncated):
        parser.close()


def test_frame_of_4_gib_comes_in_parts_without_being_kept() -> None:
    parser = frames.FrameParser()
    got = parser.feed(struct.pack(">BxxxL", 2, 0xFFFFFFFF) + b"x" * 10)
    assert got == ([2], [b"x" * 10])
    assert parser.feed(b"y" * 100_000) == ([2], [b"y" * 100_000])
    with pytest.raises(StreamTruncated):
        parser.close()


def test_large_frame_ends_where_the_next_begins() -> None:
    size = frames.LARGEST_WHOLE_FRAME + 5
    parser = frames.FrameParser()
    data = framed([(1, b"a" * size), (2, b"next")])
    cut = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    found = [frame for block in cut for frame in zip(*parser.feed(block), strict=True)]
    parser.close()
    assert b"".join(payload for stream, payload in found if stream == 1) == b"a" * size
    assert found[-1] == (2, b"next")


@pytest.mark.parametrize("head", [b"\x04\0\0\0\0\0\0\1", b"\1\1\0\0\0\0\0\1", b"GET / HT", b"\xff" * 8])
def test_rejects_invalid_frames(head: bytes) -> None:
    with pytest.raises(StreamParseError):
        frames.FrameParser().feed(head + b"x")


@given(RECORDS, CUTS, st.sampled_from([b"\n", b"\r\n"]))
def test_json_lines_do_not_depend_on_chunk_borders(records: list[dict[str, str]], sizes: list[int], end: bytes) -> None:
    data = b"".join(json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass") + end for record in records)
    parser = jsonlines.JSONLines()
    lines = [line for block in blocks(data, sizes) for line in parser.feed(block)] + parser.close()
    assert [json.loads(line) for line in lines] == records


def test_last_record_without_line_end_counts() -> None:
    parser = jsonlines.JSONLines()
    assert parser.feed(b'{"a":1}\n{"b":2}') == [b'{"a":1}']
    assert parser.close() == [b'{"b":2}']


def test_incomplete_last_record_is_a_truncation() -> None:
    parser = jsonlines.JSONLines()
    parser.feed(b'{"a":1}\n{"b"')
    with pytest.raises(StreamTruncated):
        parser.close()


def test_splits_records_without_line_ends() -> None:
    assert jsonlines.decode(b'{"a":1}{"b":2} [3]') == [{"a": 1}, {"b": 2}, [3]]


def test_json_sequences_are_read_too() -> None:
    assert jsonlines.JSONLines().feed(b'\x1e{"a":1}\n\x1e{"b":2}\n') == [b'{"a":1}', b'{"b":2}']


def test_endless_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonlines, "LARGEST_RECORD", 1000)
    parser = jsonlines.JSONLines()
    with pytest.raises(StreamParseError):
        for _ in range(20):
            parser.feed(b"x" * 100)


@pytest.mark.parametrize("line", [b"nonsense", b"[" * 100_000, b'{"a":', b"\xff\xfe"])
def test_rejects_invalid_json(line: bytes) -> None:
    with pytest.raises(StreamParseError):
        jsonlines.decode(line)


LINES = st.one_of(
    st.binary(min_size=1),
    st.text(alphabet='{}[]",:\\ue0dD19-.eE+ ntfruls\x1e\x00é', min_size=1).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(categories=["Cs"])),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(LINES)
@example(b'{"a":1}{"a":2}')
@example(b'{"a":1} \x1e {"a":2}')
@example(b'"\xff"')
@example(b'{"a":1,"a":2}')
@example(b"[" * 5000)
@example(b"[" * 500 + b"]" * 500)
@example(b"9" * 400)
@example(b"1e999")
@example(b"-0")
@example(b"[NaN,-Infinity,Infinity]")
def test_faster_decoder_gives_the_same(data: bytes) -> None:
    def outcome(decode: Callable[[bytes], list[Any]], line: bytes) -> str:
        try:
            return repr(decode(line))
        except StreamParseError as error:
            return str(error)

    for line in jsonlines.JSONLines().feed(data + b"\n"):
        assert outcome(jsonlines.best_json_decoder(), line) == outcome(jsonlines.decode, line)


def test_failure_that_the_engine_reports_in_a_frame_is_raised() -> None:
    parser = frames.FrameParser()
    data = framed([(1, b"fine")]) + struct.pack(">BxxxL", 3, 9) + b"disk full"
    assert parser.feed(data[:-4]) == ([1], [b"fine"])
    with pytest.raises(StreamError, match="disk full"):
        parser.feed(data[-4:])


@pytest.mark.parametrize(
    ("end", "error"), [(struct.pack(">BxxxL", 3, 9) + b"disk full", StreamError), (b"HTTP/1.1", StreamParseError)]
)
@pytest.mark.parametrize("more", [b"", b"more"])
def test_output_before_a_failure_is_yielded_first(end: bytes, error: type[Exception], more: bytes) -> None:
    parser = frames.FrameParser()
    assert parser.feed(framed([(1, b"fine")]) + end) == ([1], [b"fine"])
    with pytest.raises(error):
        parser.feed(more) if more else parser.close()
