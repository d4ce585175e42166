"""The chunked transfer coding: right however it is cut, refused where it is wrong."""

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
def test_any_cut_gives_the_same_payload(chunks: list[bytes], sizes: list[int], after: bytes) -> None:
    decoder = ChunkDecoder()
    payload = b"".join(
        piece for block in cut(encoded(chunks) + after, sizes) if not decoder.done for piece in decoder.feed(block)
    )
    assert payload == b"".join(chunks)
    assert decoder.done
    assert after.startswith(decoder.rest)


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5), st.data())
def test_every_prefix_is_unfinished(chunks: list[bytes], data: st.DataObject) -> None:
    whole = encoded(chunks)
    decoder = ChunkDecoder()
    decoder.feed(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert not decoder.done


def test_whole_chunks_of_one_block_stay_apart() -> None:
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
def test_what_is_no_chunk_is_refused(wrong: bytes) -> None:
    with pytest.raises(StreamParseError):
        ChunkDecoder().feed(wrong)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_random_bytes_never_do_worse_than_an_error(blocks: list[bytes]) -> None:
    decoder = ChunkDecoder()
    try:
        for block in blocks:
            if not decoder.done:
                decoder.feed(block)
    except StreamParseError:
        pass
