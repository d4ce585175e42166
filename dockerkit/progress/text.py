"""Format amounts, times and summaries for displays."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dockerkit.errors.quoting import without_controls

if TYPE_CHECKING:
    from dockerkit.progress.state import Progress, Step

__all__ = [
    "LOG_TAIL",
    "amount_text",
    "clean",
    "clip",
    "failure_lines",
    "size_text",
    "step_amount",
    "summary",
    "time_text",
    "width_of",
]

LOG_TAIL = 6
"""Number of output lines displayed below a running step."""


def clean(text: str) -> str:
    """Return text without escape sequences and control characters, with tabs as spaces."""
    return without_controls(text.replace("\t", "    "))


def width_of(text: str) -> int:
    """Return the number of terminal columns of a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def clip(text: str, width: int) -> str:
    """Truncate text to a number of columns, with an ellipsis if it was cut."""
    if width_of(text) <= width:
        return text
    chars, used = [], 0
    for char in text:
        used += width_of(char)
        if used > width - 1:
            break
        chars.append(char)
    return "".join(chars) + "…" if width > 0 else ""


def size_text(count: float) -> str:
    """Format bytes as Docker's tools do: 512B, 1.5kB, 12.3MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f}{unit}" if unit == "B" else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:.1f}TB"


def time_text(seconds: float) -> str:
    """Format seconds as 4.2s, 3m05s, 2h07m."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def amount_text(current: int | None, total: int | None) -> str:
    """Format transferred and total bytes, such as 12.3MB/45.6MB, as far as known."""
    if current is None:
        return ""
    if not total or current > total:
        return size_text(current)
    return f"{size_text(current)}/{size_text(total)}"


def step_amount(step: Step) -> str:
    """Format the progress of a step, in bytes or its own unit."""
    return amount_text(step.current, step.total) or step.detail


def summary(progress: Progress) -> str:
    """Return a one-line summary: title, steps, percent, bytes, time."""
    parts = [clean(progress.title) or "Progress", time_text(progress.seconds)]
    if (count := progress.step_count) > 1 or progress.expected:
        parts.append(f"({progress.done_steps}/{count})")
    if progress.error is not None:
        parts.append("FAILED")
    elif progress.ended is not None:
        parts.append("done")
    else:
        percent, eta = progress.percent, progress.eta
        if percent is not None:
            parts.append(f"{percent:.0f}%")
        if eta is not None and eta >= 1:
            parts.append(f"{time_text(round(eta)).replace('.0s', 's')} left")
    if progress.total:
        parts.append(amount_text(progress.current, progress.total))
    return " ".join(parts)


def failure_lines(progress: Progress) -> list[str]:
    """Return the last output lines of each failed step, under its name."""
    lines: list[str] = []
    for step in progress.steps.values():
        if step.error and step.log:
            tail = [f"   {clean(line)}" for line in list(step.log)[-10:]]
            lines += ["------", f" > {clean(step.name)}:", *tail, "------"]
    return lines
