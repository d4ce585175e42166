"""Streams of the engine: parsers without I/O (``frames``, ``jsonlines``), and the readers over them (``readers``)."""

from __future__ import annotations

from dockerkit.streams.readers import ByteStream, FrameStream, JSONStream, ProgressStream, Source, Stream

__all__ = ["ByteStream", "FrameStream", "JSONStream", "ProgressStream", "Source", "Stream"]
