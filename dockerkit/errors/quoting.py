"""Quote output in error messages: bounded, and without control sequences."""

from __future__ import annotations

import re

__all__ = ["quoted", "without_controls", "without_password"]

# Escape sequences and control characters, except tab and newline.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_ID = re.compile(r"\b(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}\b")
MAX_MESSAGE = 16 * 1024
MAX_QUOTE = 4 * 1024


def without_controls(text: str) -> str:
    """Remove escape sequences and control characters; tabs and newlines stay."""
    return text if text.isprintable() else _CONTROL.sub("", text)


def with_short_ids(text: str) -> str:
    """Cut IDs to the 12 characters that people know them by."""
    return _ID.sub(r"\1", text)


def quoted(output: str | bytes | None, limit: int = MAX_QUOTE) -> str:
    """Return the end of a program's output, for an error message; longer output is cut at its beginning."""
    omitted = max(len(output or "") - limit, 0)
    end = (output or "")[omitted:]
    shown = without_controls(end.decode("utf-8", "replace") if isinstance(end, bytes) else end).strip()
    return f"[{omitted} {'bytes' if isinstance(output, bytes) else 'characters'} before] {shown}" if omitted else shown


def bounded(message: str) -> str:
    """Return a message without control characters, cut at 16 KiB."""
    omitted = len(message) - MAX_MESSAGE
    if omitted > 0:
        message = f"{message[:MAX_MESSAGE]} [{omitted} characters more]"
    return without_controls(message)


def without_password(address: str) -> str:
    """Return a URL or an address with ``***`` in place of its password."""
    head, at, host = address.rpartition("@")
    scheme, mark, login = head.rpartition("://")
    user, colon, _ = login.partition(":")
    return f"{scheme}{mark}{user}:***@{host}" if at and colon else address
