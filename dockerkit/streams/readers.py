"""Readers: iterators over an answer that close themselves at its end, and can be closed from any thread."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from dockerkit.errors import StreamError, StreamParseError, StreamTruncated
from dockerkit.streams import frames, jsonlines

if TYPE_CHECKING:
    from types import TracebackType

T_co = TypeVar("T_co", covariant=True)

Pair = tuple["bytes | None", "bytes | None"]

_MANY = 1000  # records, after which a stream is worth loading the faster decoder


class Source(Protocol):
    """What a reader reads from: an exchange, or a hijacked connection."""

    closed: bool

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self, size: int = ...) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Stream(Generic[T_co]):
    """An iterator over an answer as it comes.

    It is a context manager, closes itself at the end of the answer or when it is dropped, and :meth:`close` may be
    called from any thread: the loop that reads then ends.
    """

    def __init__(self, source: Source, items: Iterator[Any]) -> None:
        self._source = source
        self._items: Iterator[T_co] = items

    def __iter__(self) -> Iterator[T_co]:
        return self

    def __next__(self) -> T_co:
        try:
            return next(self._items)
        except StopIteration:
            self._source.close()
            raise
        except BaseException:
            self._source.close()
            raise

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        return self._source.headers

    @property
    def closed(self) -> bool:
        """Whether it was closed before its end."""
        return self._source.closed

    def close(self) -> None:
        """Stop reading; whoever iterates sees the end. The connection is closed."""
        self._source.close()

    def __enter__(self) -> Stream[T_co]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ByteStream(Stream[bytes]):
    """Blocks of bytes: a tar archive mostly. Also a readable file: ``read``, ``readinto``."""

    def __init__(self, source: Source, chunk_size: int) -> None:
        blocks = source.chunks(chunk_size)
        compressed = source.headers.get("Content-Encoding") == "gzip"
        super().__init__(source, _gunzip(blocks, chunk_size) if compressed else blocks)
        self._rest = memoryview(b"")

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes.

        Args:
            size: how many; fewer come only at the end. -1 or None: all that is left.
        """
        if size is None or size < 0:
            whole = io.BytesIO(self._take_rest())
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
        """Fill a buffer; returns how many bytes, fewer than it holds only at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        """True: as a file object's."""
        return True

    def _take_rest(self) -> memoryview:
        rest, self._rest = self._rest, memoryview(b"")
        return rest


class JSONStream(Stream[T_co]):
    """JSON records as they come: decoded, or as the bytes of their line."""

    def __init__(self, source: Source, *, decoded: bool) -> None:
        super().__init__(source, _records(source) if decoded else _lines(source))


class ProgressStream(Stream[T_co]):
    """The records of a pull, push, load or build; a failure that they report is raised.

    Args:
        source: the answer.
        decoded: dicts, or the bytes of each line.
        failed: makes the exception from message, code and the record.
    """

    def __init__(
        self,
        source: Source,
        *,
        decoded: bool,
        failed: Callable[[str, int | None, Mapping[str, Any]], StreamError] = StreamError,
    ) -> None:
        super().__init__(source, _checked(source, decoded, failed))
        self._given_up = False

    def close(self) -> None:
        """Stop reading; whoever iterates sees the end. The connection is closed, so the engine stops too."""
        self._given_up = True
        super().close()

    def or_instead(self, again: Callable[[StreamError], ProgressStream[T_co] | None]) -> ProgressStream[T_co]:
        """Should it begin with a failure, go on with another stream instead, unseen by whoever reads this one.

        Args:
            again: gets the failure and makes the other stream, or returns None: then the failure is raised.
        """
        self._items = self._first_or(self._items, again)
        return self

    def _first_or(
        self, items: Iterator[T_co], again: Callable[[StreamError], ProgressStream[T_co] | None]
    ) -> Iterator[T_co]:
        try:
            first = list(itertools.islice(items, 1))
        except StreamError as failure:
            other = again(failure)
            if other is None:
                raise
            failed, self._source = self._source, other._source
            failed.close()
            if self._given_up:  # by another thread meanwhile, which may not have known of the new one
                other.close()
                return
            items = other._items
            first = list(itertools.islice(items, 1))
        self._items = items  # all others come without the detour
        yield from first


class FrameStream(Stream[T_co]):
    """The output of a process: chunks of bytes, or with ``demux`` pairs (stdout, stderr) of which one is None.

    Args:
        source: the answer or the hijacked connection.
        multiplexed: whether it has frames; the output of a terminal is raw.
        demux: pairs instead of chunks; raw output counts as stdout.
    """

    def __init__(self, source: Source, *, multiplexed: bool, demux: bool = False) -> None:
        self.multiplexed = multiplexed
        self._batches = _frames(source) if multiplexed else (([frames.STDOUT], [block]) for block in source.chunks())
        super().__init__(source, _pairs(self._batches) if demux else _payloads(self._batches))

    def frames(self) -> Iterator[frames.Frame]:
        """The same output as (stream number, payload); instead of iterating, not beside it."""
        try:
            for streams, payloads in self._batches:
                yield from zip(streams, payloads, strict=True)
        finally:
            self.close()

    def together(self) -> bytes:
        """All that is left, stdout and stderr in the order in which they came."""
        whole = io.BytesIO()  # grows where it is and becomes the result, where a list would need the memory twice
        try:
            for _, payloads in self._batches:
                whole.write(b"".join(payloads))
        finally:
            self.close()
        return whole.getvalue()

    def apart(self) -> Pair:
        """All that is left as (stdout, stderr); None for a stream that had nothing."""
        out, err = io.BytesIO(), io.BytesIO()
        try:
            for streams, payloads in self._batches:
                for number, payload in zip(streams, payloads, strict=True):
                    (err if number == frames.STDERR else out).write(payload)
        finally:
            self.close()
        return out.getvalue() or None, err.getvalue() or None


def _gunzip(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Undo a compression on the way, never more than ``size`` bytes at once."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for block in blocks:
        while block:
            yield unpacker.decompress(block, size)
            block = unpacker.unconsumed_tail
    if rest := unpacker.flush():
        yield rest
    if not unpacker.eof:
        raise StreamTruncated("the compressed stream ended before it was complete")


# Below, what came in one read travels as one list: a generator's step for each record or frame would cost more than
# finding it.


def _frames(source: Source) -> Iterator[frames.Frames]:
    parser = frames.FrameParser()
    for block in source.chunks():
        yield parser.feed(block)
    if not source.closed:
        parser.close()


def _payloads(batches: Iterable[frames.Frames]) -> Iterator[bytes]:
    for _, payloads in batches:
        yield from payloads


def _pairs(batches: Iterable[frames.Frames]) -> Iterator[Pair]:
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
    """Lines, and with what to decode them."""
    decode: Callable[[bytes], list[Any]] = jsonlines.decode
    seen = 0
    for lines in _line_batches(source):
        yield lines, decode
        seen += len(lines)
        if seen > _MANY and decode is jsonlines.decode:
            decode = jsonlines.faster()


def _records(source: Source) -> Iterator[Any]:
    for lines, decode in _to_decode(source):
        for line in lines:
            for record in decode(line):
                if not isinstance(record, dict):
                    raise _no_object(line)
                yield record


def _checked(
    source: Source, decoded: bool, failed: Callable[[str, int | None, Mapping[str, Any]], StreamError]
) -> Iterator[Any]:
    for lines, decode in _to_decode(source):
        for line in lines:
            records = decode(line)
            for record in records:
                if not isinstance(record, dict):
                    raise _no_object(line)
                if "errorDetail" in record or "error" in record:
                    raise _failure(record, failed)
            if decoded:
                yield from records
            else:
                yield line


def _no_object(line: bytes) -> StreamParseError:
    return StreamParseError(f"a record of this stream is no JSON object: {line[:200]!r}")


def _failure(
    record: Mapping[str, Any], failed: Callable[[str, int | None, Mapping[str, Any]], StreamError]
) -> StreamError:
    """The exception for a record that reports a failure: ``errorDetail``, or only ``error`` from old engines."""
    detail = record.get("errorDetail")
    detail = detail if isinstance(detail, dict) else {}
    code = detail.get("code")
    message = detail.get("message") or record.get("error") or "the engine reported a failure without a text"
    return failed(str(message), code if isinstance(code, int) else None, record)
