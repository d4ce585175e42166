"""Progress display for notebooks: one output that is updated in place."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from dockerkit.progress.text import failure_lines, step_amount, summary, time_text

if TYPE_CHECKING:
    from dockerkit.progress.state import Event, Progress, Step

__all__ = ["Notebook", "to_html"]

_MAX_ROWS = 40


class Notebook:
    """Displays a state with IPython, redrawn at most four times a second.

    Args:
        clock: monotonic clock in seconds.
        interval: minimum seconds between redraws.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, interval: float = 0.25) -> None:
        self._clock = clock
        self._interval = interval
        self._next = 0.0
        self._handle: Any = None  # IPython's DisplayHandle

    def update(self, progress: Progress, event: Event) -> None:
        """Redraw if the interval has passed."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._interval
            self._draw(progress)

    def finish(self, progress: Progress) -> None:
        """Draw the final state."""
        self._draw(progress)

    def _draw(self, progress: Progress) -> None:
        ipython = importlib.import_module("IPython.display")
        html = ipython.HTML(to_html(progress))
        if self._handle is None:
            self._handle = ipython.display(html, display_id=True)
        else:
            self._handle.update(html)


def to_html(progress: Progress) -> str:
    """Return the state as HTML, with all text escaped."""
    with progress.lock:
        percent = progress.percent
        bar = f'<progress max="100" value="{percent:.1f}" style="width:100%"></progress>' if percent is not None else ""
        steps = list(progress.steps.values())
        hidden = max(len(steps) - _MAX_ROWS, 0)
        rows = "".join(_row(step, progress) for step in steps[hidden:])
        more = f"<tr><td colspan='3'>… {hidden} more</td></tr>" if hidden else ""
        notes = [f"<div>{escape(text)}</div>" for text in progress.messages[-5:]]
        notes += [f"<div style='color:#b58900'>{escape(text)}</div>" for text in progress.warnings[-5:]]
        if progress.error is not None:
            if lines := failure_lines(progress):
                notes.append(f"<pre>{escape(chr(10).join(lines))}</pre>")
            notes.append(f"<div style='color:#c00'><b>{escape(progress.error)}</b></div>")
        head = f"<div><b>{escape(summary(progress))}</b></div>"
        table = f"<table>{more}{rows}</table>" if rows else ""
        return f"<div class='dockerkit-progress'>{head}{bar}{table}{''.join(notes)}</div>"


def _row(step: Step, progress: Progress) -> str:
    duration = time_text(step.seconds(progress.clock())) if step.started is not None else ""
    if step.error:
        state = f"<span style='color:#c00'>{escape(step.error)}</span>"
    elif step.cached:
        state = escape(step.status) or "cached"
    elif step.done:
        state = escape(step.status) or "done"
    else:
        amount = step_amount(step)
        last = step.log[-1] if step.log else ""
        state = escape(" ".join(text for text in (step.status, amount, last) if text))
    name = step.id if step.kind == "layer" else step.name
    cell = "<td style='text-align:left'>"
    return f"<tr>{cell}{escape(name)}</td>{cell}{state}</td>{cell}{duration}</td></tr>"
