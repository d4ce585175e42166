"""Displays of a progress state: their selection, plain lines, and a terminal that is redrawn.

See :mod:`dockerkit.progress.html` for notebooks and :mod:`dockerkit.progress.rich` for rich.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from dockerkit import runtime
from dockerkit.errors import InvalidArgument
from dockerkit.progress.state import Event, Progress, Renderer, Step
from dockerkit.progress.text import (
    LOG_TAIL,
    amount_text,
    clean,
    clip,
    failure_lines,
    step_amount,
    summary,
    time_text,
    width_of,
)

__all__ = ["Plain", "Terminal", "display"]


def display(name: str) -> Renderer | None:
    """Return the display with a name ("auto", "tty", "plain", "html", "rich").

    Raises:
        InvalidArgument: the name is unknown, or "rich" is not installed.
    """
    if name == "auto":
        name = "html" if in_notebook() else "tty" if _is_terminal(sys.stderr) else "plain"
    if name == "tty":
        return Terminal()
    if name == "plain":
        return Plain()
    if name == "html":
        from dockerkit.progress.html import Notebook

        return Notebook()
    if name == "rich":
        try:
            from dockerkit.progress.rich import Rich
        except ImportError as error:
            raise InvalidArgument(
                "progress: 'rich' requires the package rich: pip install 'dockerkit[progress]'"
            ) from error
        return Rich()
    raise InvalidArgument(f"progress: must be 'auto', 'tty', 'plain', 'html', 'rich' or 'quiet', got {name!r}")


def in_notebook() -> bool:
    """Return whether this process is a notebook kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Plain:
    """Writes one line per lasting change, for CI logs, which can't be redrawn.

    Args:
        stream: output stream; None for standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self._last: Step | None = None
        self._named: set[str] = set()
        self._open: set[str] = set()  # steps with a line that have not ended
        self._ending: Step | None = None

    def update(self, progress: Progress, event: Event) -> None:
        """Write a line for this change, if it has one."""
        step, text = event.step, clean(event.text)
        if event.kind == "amount":
            return
        if step is not self._ending:
            self._end_step(progress)
        if step is None:
            if event.kind == "warning":
                self._write(f"WARNING: {text}")
            elif event.kind == "message":
                self._write(text)
            else:
                for line in failure_lines(progress):
                    self._write(line)
                self._write(f"ERROR: {text}" if progress.error is not None else summary(progress))
        elif step.kind == "step":
            self._step(progress, step, event, text)
        elif step.kind == "layer":
            self._write(f"{clean(step.id)}: {text}")
        elif event.kind == "started":
            self._write(text)

    def finish(self, progress: Progress) -> None:
        """Do nothing: the event "finished" wrote the last line."""

    def _step(self, progress: Progress, step: Step, event: Event, text: str) -> None:
        # BuildKit starts and ends a step several times, and may report on it after its end. So write the end when the
        # next step reports something, and write later lines below the step's name again.
        if event.kind == "started" and step.id in self._named:
            self._ending = None
            return
        if event.kind == "done" and step.id in self._named and step.id not in self._open and step.error is None:
            return
        if self._last is not None and self._last is not step and self._last.id in self._open:
            self._write(f"#{self._last.number} ...")
        self._last = step
        if step.id not in self._open:
            self._named.add(step.id)
            self._open.add(step.id)
            self._write(f"#{step.number} {clean(step.name)}")
        if event.kind == "log":
            self._write(f"#{step.number} {step.seconds(progress.clock()):.3f} {text}")
        elif event.kind == "status":
            self._write(f"#{step.number} {text}")
        if step.done:
            self._ending = step

    def _end_step(self, progress: Progress) -> None:
        step, self._ending = self._ending, None
        if step is None:
            return
        self._open.discard(step.id)
        if step.error is not None:
            self._write(f"#{step.number} ERROR: {clean(step.error)}")
        else:
            duration = f"DONE {step.seconds(progress.clock()):.1f}s"
            self._write(f"#{step.number} {'CACHED' if step.cached else duration}")

    def _write(self, line: str) -> None:
        print(line, file=self.stream or sys.stderr, flush=True)


class Terminal:
    """Redraws lines of a terminal, at most ten times a second; timers keep running without new events.

    Args:
        stream: terminal; None for standard error.
        size: columns and lines of the terminal.
        clock: monotonic clock in seconds.
        interval: minimum seconds between redraws.
        ticking: whether a separate thread redraws without new events.
        color: whether to use color; None respects ``NO_COLOR``.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        size: Callable[[], tuple[int, int]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 0.1,
        ticking: bool = True,
        color: bool | None = None,
    ) -> None:
        self.stream: TextIO = stream or sys.stderr
        self._size = size or shutil.get_terminal_size
        self._clock = clock
        self._interval = interval
        self._ticking = ticking
        self._color = not os.environ.get("NO_COLOR") if color is None else color
        self._drawn_lines = 0
        self._next = 0.0
        self._messages: list[str] = []
        self._thread: threading.Thread | None = None
        self._stop = runtime.Event()

    def update(self, progress: Progress, event: Event) -> None:
        """Record the change, and redraw if the interval has passed."""
        if event.step is None and event.kind in ("message", "warning"):
            self._messages.append(f"{'WARNING: ' if event.kind == 'warning' else ''}{clean(event.text)}")
        if self._ticking and self._thread is None and event.kind != "finished":
            self._thread = runtime.Thread(self._tick, (progress,), name="dockerkit-progress")
            self._thread.start()
        if self._clock() >= self._next:
            self.draw(progress)

    def finish(self, progress: Progress) -> None:
        """Draw the final state and leave the cursor below it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.draw(progress)
        if progress.error is not None:
            error = self._paint("31", f"ERROR: {clean(progress.error)}")
            self.stream.write("".join(f"{line}\n" for line in [*failure_lines(progress), error]))
        self.stream.flush()

    def _tick(self, progress: Progress) -> None:
        while not self._stop.wait(max(self._interval, 0.05) * 2):
            with progress.lock:
                if progress.ended is None and self._clock() >= self._next:
                    self.draw(progress)

    def draw(self, progress: Progress) -> None:
        """Write pending messages, and the state's lines over the previous ones."""
        self._next = self._clock() + self._interval
        columns, rows = self._size()
        lines = self.lines(progress, columns, rows)
        out = [f"\x1b[{self._drawn_lines}A" if self._drawn_lines else "", "\r"]
        out += [f"\x1b[2K{clip(line, columns - 1)}\n" for line in self._messages]
        out += [f"\x1b[2K{line}\n" for line in lines]
        out.append("\x1b[J")
        self._messages.clear()
        self._drawn_lines = len(lines)
        self.stream.write("".join(out))
        self.stream.flush()

    def lines(self, progress: Progress, columns: int, rows: int) -> list[str]:
        """Return the lines that display the state on a terminal of the given size."""
        now = progress.clock()
        width = max(columns - 1, 10)
        steps = list(progress.steps.values())
        blocks = [self._block(step, now, width, progress.ended is not None) for step in steps]
        room = max(rows - 2, 1)
        hidden = 0
        order = sorted(range(len(blocks)), key=lambda index: (not steps[index].done, index))
        while hidden < len(order) and sum(map(len, blocks)) + (hidden > 0) > room:
            blocks[order[hidden]] = []  # hide the oldest finished steps first
            hidden += 1
        lines = [self._paint("1", clip(f"[+] {summary(progress)}", width))]
        if hidden:
            lines.append(clip(f" … {hidden} more", width))
        return lines + [line for block in blocks for line in block]

    def _block(self, step: Step, now: float, width: int, finished: bool) -> list[str]:
        if step.kind != "step":
            return [self._layer(step, width)]
        duration = f" {time_text(step.seconds(now))}" if step.started is not None else ""
        prefix = "CACHED " if step.cached else "ERROR " if step.error else ""
        name = clip(f" => {prefix}{clean(step.name)}", width - len(duration))
        line = name + " " * (width - width_of(name) - len(duration)) + duration
        block = [self._paint("31" if step.error else "34" if step.done else "", line)]
        if step.done or finished:
            return block
        active = [part for part in step.parts.values() if not part.done]
        block += [clip(f" => => {clean(part.name)} {amount_text(part.current, part.total)}", width) for part in active]
        block += [self._paint("2", clip(f" => => # {clean(line)}", width)) for line in list(step.log)[-LOG_TAIL:]]
        return block

    def _layer(self, step: Step, width: int) -> str:
        label = f"{clean(step.id)}: {clean(step.status)}" if step.kind == "layer" else clean(step.name)
        amount = "" if step.done and step.kind == "layer" else step_amount(step)
        bar = ""
        if step.total and not step.done and width > 60:
            cells = 50 if width > 110 else 20
            filled = int(cells * min((step.current or 0) / step.total, 1.0))
            bar = "[" + "=" * max(filled - 1, 0) + (">" if filled else "") + " " * (cells - filled) + "]"
        return clip("  ".join(part for part in (label, bar, amount) if part), width)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and code else text
