"""Readers: iterators over a response that close themselves at its end and can be closed from any thread."""

from __future__ import annotations

import io
import itertools
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from dockerkit import errors
from dockerkit.errors import StreamInUse, StreamParseError, StreamTruncated
from dockerkit.streams import frames, jsonlines
from dockerkit.streams.closable import ClosableIterator

T_co = TypeVar("T_co", covariant=True)

DemuxedOutput = tuple["bytes | None", "bytes | None"]

_MANY = 1000  # records after which the faster decoder is worth loading


class Source(Protocol):
    """What a reader reads from: a response or a hijacked connection."""

    closed: bool

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self, size: int = ...) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Stream(ClosableIterator[T_co]):
    """An iterator over a response as it arrives.

    It is a context manager, and closes itself at the end of the response or when it is garbage-collected. :meth:`close`
    may be called from any thread; the loop that reads it then ends.
    """

    def __init__(self, source: Source, items: Iterator[Any]) -> None:
        self._source = source
        self._items: Iterator[T_co] = items

    def __next__(self) -> T_co:
        try:
            return next(self._items)
        except BaseException as error:  # including StopIteration
            if isinstance(error, ValueError) and getattr(self._items, "gi_running", False):
                raise StreamInUse from None
            self._source.close()
            raise

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response."""
        return self._source.headers

    @property
    def closed(self) -> bool:
        """Whether it was closed before its end."""
        return self._source.closed

    def close(self) -> None:
        """Stop reading and close the connection; the iteration ends."""
        self._source.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source!r}>"


class ByteStream(Stream[bytes]):
    """Blocks of bytes, such as a tar archive. Also a readable file: ``read``, ``readinto``."""

    def __init__(self, source: Source, chunk_size: int) -> None:
        blocks = source.chunks(chunk_size)
        coding = (source.headers.get("Content-Encoding") or "identity").strip().lower()
        if coding not in ("identity", "gzip", "x-gzip"):
            source.close()
            raise StreamParseError(f"the engine sent the content coding {coding!r}, which was not requested")
        super().__init__(source, blocks if coding == "identity" else _gunzip(blocks, chunk_size))
        self._rest = memoryview(b"")

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes.

        Args:
            size: number of bytes; fewer are returned only at the end. -1 or None reads the rest.
        """
        if size is None or size < 0:
            rest, self._rest = self._rest, memoryview(b"")
            whole = io.BytesIO(rest)
            whole.seek(0, io.SEEK_END)
            whole.writelines(self)
            return whole.getvalue()
        parts: list[bytes | memoryview] = []
        while size:
            if not self._rest:
                block = next(self, b"")
                if not block:
                    break
                self._rest = memoryview(block)
            part, self._rest = self._rest[:size], self._rest[size:]
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill a buffer and return the number of bytes read; it is only partly filled at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        """Return True, as a file object does."""
        return True


class JSONStream(Stream[T_co]):
    """JSON records as they arrive: decoded, or as the bytes of their line."""

    def __init__(self, source: Source, *, decoded: bool) -> None:
        super().__init__(source, _records(source) if decoded else _lines(source))


class ProgressStream(Stream[T_co]):
    """The records of a pull, push, load or build; a failure they report is raised after its record.

    Args:
        source: the response.
        decoded: yield dicts instead of the bytes of each line.
        error: name of the exception class for failures.
        raises: whether to raise failures.
        action: the failing action, for the message: ``"pulling image 'busybox'"``.
    """

    def __init__(
        self, source: Source, *, decoded: bool, error: str = "StreamError", raises: bool = True, action: str = ""
    ) -> None:
        self._verdict = _Verdict(raises)
        super().__init__(source, _checked(source, decoded, error, action, self._verdict))
        self._given_up = False

    @property
    def raises(self) -> bool:
        """Whether to raise failures; may be changed until the failure is read."""
        return self._verdict.raises

    @raises.setter
    def raises(self, raises: bool) -> None:
        self._verdict.raises = raises

    @property
    def failure(self) -> errors.StreamError | None:
        """The failure that a record reported, None before it is read."""
        return self._verdict.failure

    def close(self) -> None:
        """Stop reading and close the connection, so that the engine stops too; the iteration ends."""
        self._given_up = True
        super().close()

    def or_instead(self, again: Callable[[errors.StreamError], ProgressStream[T_co] | None]) -> ProgressStream[T_co]:
        """If the stream begins with a failure, continue with another stream, transparently for the reader.

        Args:
            again: takes the failure and returns the other stream, or None to report the failure.
        """
        self._items = _first_or(weakref.ref(self), self._items, again)
        return self


class _Verdict:
    """What is known of the failure in a progress stream, apart from the stream, which would be in a cycle otherwise."""

    def __init__(self, raises: bool) -> None:
        self.raises = raises
        self.failure: errors.StreamError | None = None


def _first_or(
    reference: weakref.ref[ProgressStream[Any]],
    items: Iterator[Any],
    again: Callable[[errors.StreamError], ProgressStream[Any] | None],
) -> Iterator[Any]:
    first = list(itertools.islice(items, 1))
    stream = reference()
    assert stream is not None  # it is being read
    other = None if stream.failure is None else again(stream.failure)
    if other is not None:
        failed, stream._source = stream._source, other._source
        failed.close()
        if stream._given_up:  # by another thread, which may not have seen the new one
            other.close()
            return
        other.raises, stream._verdict = stream.raises, other._verdict
        items = other._items
        first = list(itertools.islice(items, 1))
    stream._items = items  # the remaining records skip this generator
    del stream, other
    yield from first


def _checked(source: Source, decoded: bool, error: str, action: str, verdict: _Verdict) -> Iterator[Any]:
    for lines, decode in _to_decode(source):
        for line in lines:
            for record in decode(line):
                if not isinstance(record, dict):
                    raise _not_an_object(line)
                if verdict.failure is None and ("errorDetail" in record or "error" in record):
                    verdict.failure = _failure(record, getattr(errors, error), action)
                if decoded:
                    yield record
            if not decoded:
                yield line
            if verdict.failure is not None and verdict.raises:
                raise verdict.failure


class FrameStream(Stream[T_co]):
    """The output of a process: chunks of bytes, or, with ``demux``, pairs (stdout, stderr) of which one is None.

    Args:
        source: the response or the hijacked connection.
        multiplexed: whether the output has frames; a terminal's output is raw.
        demux: yield pairs instead of chunks; raw output counts as stdout.
    """

    def __init__(self, source: Source, *, multiplexed: bool, demux: bool = False) -> None:
        self.multiplexed = multiplexed
        self._batches = _frames(source) if multiplexed else (([frames.STDOUT], [block]) for block in source.chunks())
        super().__init__(source, _pairs(self._batches) if demux else _payloads(self._batches))

    def frames(self) -> Iterator[frames.Frame]:
        """Iterate over the same output as (stream number, payload). Use either this or the plain iterator, not both."""
        with self:
            for streams, payloads in self._batches:
                yield from zip(streams, payloads, strict=True)

    def read_all(self) -> bytes:
        """Return the rest of the output, stdout and stderr in order of arrival."""
        whole = io.BytesIO()  # grows in place and becomes the result; a list would need twice the memory
        with self:
            for _, payloads in self._batches:
                whole.write(b"".join(payloads))
        return whole.getvalue()

    def read_demuxed(self) -> DemuxedOutput:
        """Return the rest of the output as (stdout, stderr); None for an empty stream."""
        out, err = io.BytesIO(), io.BytesIO()
        with self:
            for streams, payloads in self._batches:
                for number, payload in zip(streams, payloads, strict=True):
                    (err if number == frames.STDERR else out).write(payload)
        return out.getvalue() or None, err.getvalue() or None

    def together(self) -> bytes:
        """Deprecated name of :meth:`read_all`."""
        return self.read_all()

    def apart(self) -> DemuxedOutput:
        """Deprecated name of :meth:`read_demuxed`."""
        return self.read_demuxed()


def _gunzip(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Decompress a stream, at most ``size`` bytes at a time; it may consist of several gzip members."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    begun = False
    try:
        for block in blocks:
            while block:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
                begun = True
                if data := unpacker.decompress(block, size):
                    yield data
                block = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        if rest := unpacker.flush():
            yield rest
    except zlib.error as error:
        raise StreamParseError(f"the compressed stream is damaged: {error}") from error
    if begun and not unpacker.eof:
        raise StreamTruncated("the compressed stream ended before it was complete")


# Below, the items of one read are passed on as one list: a generator step per record or frame would cost more than
# parsing it.


def _frames(source: Source) -> Iterator[frames.Frames]:
    parser = frames.FrameParser()
    for block in source.chunks():
        yield parser.feed(block)
    if not source.closed:
        parser.close()


def _payloads(batches: Iterable[frames.Frames]) -> Iterator[bytes]:
    for _, payloads in batches:
        yield from payloads


def _pairs(batches: Iterable[frames.Frames]) -> Iterator[DemuxedOutput]:
    for streams, payloads in batches:
        for number, payload in zip(streams, payloads, strict=True):
            yield (None, payload) if number == frames.STDERR else (payload, None)


def _line_batches(source: Source) -> Iterator[list[bytes]]:
    parser = jsonlines.JSONLines()
    for block in source.chunks():
        yield parser.feed(block)
    if not source.closed:
        yield parser.close()


def _lines(source: Source) -> Iterator[bytes]:
    for lines in _line_batches(source):
        yield from lines


def _to_decode(source: Source) -> Iterator[tuple[list[bytes], Callable[[bytes], list[Any]]]]:
    """Yield batches of lines with the function that decodes them."""
    decode: Callable[[bytes], list[Any]] = jsonlines.decode
    seen = 0
    for lines in _line_batches(source):
        yield lines, decode
        seen += len(lines)
        if seen > _MANY and decode is jsonlines.decode:
            decode = jsonlines.best_json_decoder()


def _records(source: Source) -> Iterator[Any]:
    for lines, decode in _to_decode(source):
        for line in lines:
            for record in decode(line):
                if not isinstance(record, dict):
                    raise _not_an_object(line)
                yield record


def _not_an_object(line: bytes) -> StreamParseError:
    return StreamParseError(f"a record of this stream is not a JSON object: {line[:200]!r}")


def _failure(record: Mapping[str, Any], kind: type[errors.StreamError], action: str) -> errors.StreamError:
    """Return the exception for a record that reports a failure: ``errorDetail``, or only ``error`` from old engines."""
    detail = record.get("errorDetail")
    detail = detail if isinstance(detail, dict) else {}
    code = detail.get("code")
    message = detail.get("message") or record.get("error") or "the engine reported a failure without a message"
    failure = kind.from_record(str(message), code if isinstance(code, int) else None, record)
    if action:
        from dockerkit.errors.explain import explain
        from dockerkit.errors.quoting import bounded, with_short_ids

        _, news = explain(failure.message)
        own = "" if news.endswith(with_short_ids(failure.message)) else f"\n  the engine's message: {failure.message}"
        failure.args = (bounded(f"{action} failed: {news}{own}"),)
    return failure
