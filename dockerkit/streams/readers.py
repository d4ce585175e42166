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

_FAST_DECODER_THRESHOLD = 1000  # records after which the faster decoder is worth loading


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
            buffer = io.BytesIO(rest)
            buffer.seek(0, io.SEEK_END)
            buffer.writelines(self)
            return buffer.getvalue()
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
        self._failure_state = _FailureState(raises)
        super().__init__(source, _checked(source, decoded, error, action, self._failure_state))
        self._closed_early = False

    @property
    def raises(self) -> bool:
        """Whether to raise failures; may be changed until the failure is read."""
        return self._failure_state.raises

    @raises.setter
    def raises(self, raises: bool) -> None:
        self._failure_state.raises = raises

    @property
    def failure(self) -> errors.StreamError | None:
        """The failure that a record reported, None before it is read."""
        return self._failure_state.failure

    def close(self) -> None:
        """Stop reading and close the connection, so that the engine stops too; the iteration ends."""
        self._closed_early = True
        super().close()

    def or_instead(self, again: Callable[[errors.StreamError], ProgressStream[T_co] | None]) -> ProgressStream[T_co]:
        """If the stream begins with a failure, continue with another stream, transparently for the reader.

        Args:
            again: takes the failure and returns the other stream, or None to report the failure.
        """
        self._items = _first_or_fallback(weakref.ref(self), self._items, again)
        return self


class _FailureState:
    """The failure of a progress stream, held outside the stream to avoid a reference cycle."""

    def __init__(self, raises: bool) -> None:
        self.raises = raises
        self.failure: errors.StreamError | None = None


def _first_or_fallback(
    reference: weakref.ref[ProgressStream[Any]],
    items: Iterator[Any],
    again: Callable[[errors.StreamError], ProgressStream[Any] | None],
) -> Iterator[Any]:
    first = list(itertools.islice(items, 1))
    stream = reference()
    assert stream is not None  # it is being read
    alternative = None if stream.failure is None else again(stream.failure)
    if alternative is not None:
        failed_source, stream._source = stream._source, alternative._source
        failed_source.close()
        if stream._closed_early:  # by another thread, which may not have seen the new one
            alternative.close()
            return
        alternative.raises, stream._failure_state = stream.raises, alternative._failure_state
        items = alternative._items
        first = list(itertools.islice(items, 1))
    stream._items = items  # the remaining records skip this generator
    del stream, alternative
    yield from first


def _checked(source: Source, decoded: bool, error: str, action: str, failure_state: _FailureState) -> Iterator[Any]:
    for lines, decode in _batches_with_decoder(source):
        for line in lines:
            for record in decode(line):
                if not isinstance(record, dict):
                    raise _not_an_object(line)
                if failure_state.failure is None and ("errorDetail" in record or "error" in record):
                    failure_state.failure = _failure(record, getattr(errors, error), action)
                if decoded:
                    yield record
            if not decoded:
                yield line
            if failure_state.failure is not None and failure_state.raises:
                raise failure_state.failure


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
        buffer = io.BytesIO()  # grows in place and becomes the result; a list would need twice the memory
        with self:
            for _, payloads in self._batches:
                buffer.write(b"".join(payloads))
        return buffer.getvalue()

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
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    started = False
    try:
        for block in blocks:
            while block:
                if decompressor.eof:
                    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
                started = True
                if data := decompressor.decompress(block, size):
                    yield data
                block = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
        if rest := decompressor.flush():
            yield rest
    except zlib.error as error:
        raise StreamParseError(f"the compressed stream is damaged: {error}") from error
    if started and not decompressor.eof:
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


def _batches_with_decoder(source: Source) -> Iterator[tuple[list[bytes], Callable[[bytes], list[Any]]]]:
    """Yield batches of lines with the function that decodes them."""
    decode: Callable[[bytes], list[Any]] = jsonlines.decode
    count = 0
    for lines in _line_batches(source):
        yield lines, decode
        count += len(lines)
        if count > _FAST_DECODER_THRESHOLD and decode is jsonlines.decode:
            decode = jsonlines.best_json_decoder()


def _records(source: Source) -> Iterator[Any]:
    for lines, decode in _batches_with_decoder(source):
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

        _, explanation = explain(failure.message)
        suffix = (
            ""
            if explanation.endswith(with_short_ids(failure.message))
            else f"\n  the engine's message: {failure.message}"
        )
        failure.args = (bounded(f"{action} failed: {explanation}{suffix}"),)
    return failure
