"""docker-py's name for an iterator over an answer that can be closed from another thread."""

from __future__ import annotations

from dockerkit.streams import Stream as CancellableStream

__all__ = ["CancellableStream"]
