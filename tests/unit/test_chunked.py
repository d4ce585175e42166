"""The chunked transfer coding: any segmentation, and invalid data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerkit.errors import StreamParseError
from dockerkit.transport.chunked import ChunkDecoder


def encoded(chunks: list[bytes], trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n" + trailer + b"\r\n"


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    blocks = []
    for size in sizes:
        blocks.append(data[:size])
        data = data[size:]
    return [*blocks, data]


@given(st.lists(st.binary(max_size=300), max_size=12), st.lists(st.integers(1, 80), max_size=60), st.binary(max_size=9))
def test_payload_does_not_depend_on_block_borders(chunks: list[bytes], sizes: list[int], after: bytes) -> None:
    decoder = ChunkDecoder()
    payload = b"".join(
        piece for block in cut(encoded(chunks) + after, sizes) if not decoder.done for piece in decoder.feed(block)
    )
    assert payload == b"".join(chunks)
    assert decoder.done
    assert after.startswith(decoder.rest)


@given(st.lists(st.sampled_from([b"x" * 10, b"y" * 10, b"z"]), max_size=12), st.lists(st.integers(1, 40), max_size=60))
def test_payload_of_repeated_sizes_does_not_depend_on_block_borders(chunks: list[bytes], sizes: list[int]) -> None:
    decoder = ChunkDecoder()
    data = encoded([b"warm up!!!", *chunks], trailer=b"a\r\n")  # the trailer looks like a size that was seen
    pieces = [piece for block in cut(data, sizes) for piece in decoder.feed(block)]
    assert b"".join(pieces) == b"".join([b"warm up!!!", *chunks])
    assert (decoder.done, decoder.rest) == (True, b"")


def test_rejects_long_chunks_of_repeated_sizes() -> None:
    with pytest.raises(StreamParseError):
        ChunkDecoder().feed(b"3\r\nabc\r\n3\r\nabcd\r\n")


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5), st.data())
def test_every_prefix_is_unfinished(chunks: list[bytes], data: st.DataObject) -> None:
    whole = encoded(chunks)
    decoder = ChunkDecoder()
    decoder.feed(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert not decoder.done


def test_chunks_of_one_block_are_returned_separately() -> None:
    assert ChunkDecoder().feed(encoded([b"one", b"two"])) == [b"one", b"two"]


def test_trailer_and_extension_are_skipped() -> None:
    decoder = ChunkDecoder()
    assert decoder.feed(b"3;name=value\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n") == [b"abc"]
    assert decoder.done


@pytest.mark.parametrize(
    "wrong",
    [b"xyz\r\n", b"-1\r\n", b"\r\n", b"3\r\nabcd\r\n", b"1" * 17 + b"\r\n", b"1" * 9000, b"0\r\n" + b"a: b\r\n" * 101],
    ids=["no number", "negative", "empty", "longer than said", "too many digits", "endless size", "endless trailer"],
)
def test_rejects_invalid_chunks(wrong: bytes) -> None:
    with pytest.raises(StreamParseError):
        ChunkDecoder().feed(wrong)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_random_bytes_decode_or_raise(blocks: list[bytes]) -> None:
    decoder = ChunkDecoder()
    try:
        for block in blocks:
            if not decoder.done:
                decoder.feed(block)
    except StreamParseError:
        pass
