"""Displays of a progress state: which one fits, plain lines, and a terminal that is drawn anew.

The one for notebooks is in :mod:`dockerkit.progress_html`, the one on rich in :mod:`dockerkit.progress_rich`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from typing import TextIO

from dockerkit.errors import InvalidArgument
from dockerkit.progress_state import Event, Progress, Renderer, Step

__all__ = ["Plain", "Terminal", "clean", "clip", "display", "size_text", "time_text"]

# Escape sequences and control characters: what a build prints must not move our cursor or set the window's title.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_LOG_TAIL = 6


def display(name: str) -> Renderer | None:
    """The display of that name ("auto", "tty", "plain", "html", "rich").

    Raises:
        InvalidArgument: there is none, or "rich" is not installed.
    """
    if name == "auto":
        name = "html" if in_notebook() else "tty" if _is_terminal(sys.stderr) else "plain"
    if name == "tty":
        return Terminal()
    if name == "plain":
        return Plain()
    if name == "html":
        from dockerkit.progress_html import Notebook

        return Notebook()
    if name == "rich":
        try:
            from dockerkit.progress_rich import Rich
        except ImportError as error:
            raise InvalidArgument(
                "progress: 'rich' needs the package of that name: install dockerkit[progress]"
            ) from error
        return Rich()
    raise InvalidArgument(f"progress: {name!r} is none of 'auto', 'tty', 'plain', 'html', 'rich', 'quiet'")


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def clean(text: str) -> str:
    """Text without escape sequences and control characters; tabs are spaces."""
    return _CONTROL.sub("", text.replace("\t", "    "))


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def clip(text: str, width: int) -> str:
    """Text cut to so many columns, with an ellipsis where something is missing."""
    if width_of(text) <= width:
        return text
    taken, used = [], 0
    for char in text:
        used += width_of(char)
        if used > width - 1:
            break
        taken.append(char)
    return "".join(taken) + "…" if width > 0 else ""


def size_text(count: float) -> str:
    """Bytes as docker's tools write them: 512B, 1.5kB, 12.3MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f}{unit}" if unit == "B" else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:.1f}TB"


def time_text(seconds: float) -> str:
    """Seconds as 4.2s, 3m05s, 2h07m."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def amount_text(current: int | None, total: int | None) -> str:
    """Bytes done of bytes to do, like 12.3MB/45.6MB, or what of it is known."""
    if current is None:
        return ""
    if not total or current > total:
        return size_text(current)
    return f"{size_text(current)}/{size_text(total)}"


def summary(progress: Progress) -> str:
    """The whole in one line: title, steps, percent, bytes, time."""
    parts = [clean(progress.title) or "Progress", time_text(progress.seconds)]
    steps = progress.steps
    if len(steps) > 1 or progress.expected:
        parts.append(f"({progress.done_steps}/{max(len(steps), progress.expected or 0)})")
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


class Plain:
    """One line for each change that lasts: for logs of CI, where nothing can be drawn anew.

    Args:
        stream: where the lines go; standard error if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream
        self._last: Step | None = None
        self._named: set[str] = set()

    def update(self, progress: Progress, event: Event) -> None:
        """Write the line for this change, if it wants one."""
        step, text = event.step, clean(event.text)
        if event.kind == "amount":
            return
        if step is None:
            if event.kind == "warning":
                self._write(f"WARNING: {text}")
            elif event.kind == "message":
                self._write(text)
            else:
                self._write(f"ERROR: {text}" if progress.error is not None else summary(progress))
        elif step.kind == "step":
            self._step(progress, step, event, text)
        elif step.kind == "layer":
            self._write(f"{clean(step.id)}: {text}")
        elif event.kind == "started":
            self._write(text)

    def finish(self, progress: Progress) -> None:
        """The last line came with the event "finished"."""

    def _step(self, progress: Progress, step: Step, event: Event, text: str) -> None:
        prefix = f"#{step.number}"
        if self._last is not None and self._last is not step and not self._last.done:
            self._write(f"#{self._last.number} ...")
        self._last = step
        seconds = step.seconds(progress.clock())
        if event.kind == "started":
            if step.id not in self._named:  # BuildKit starts and ends a step several times
                self._named.add(step.id)
                self._write(f"{prefix} {clean(step.name)}")
        elif event.kind == "log":
            self._write(f"{prefix} {seconds:.3f} {text}")
        elif event.kind == "status":
            self._write(f"{prefix} {text}")
        elif step.error is not None:
            self._write(f"{prefix} ERROR: {clean(step.error)}")
        else:
            self._write(f"{prefix} CACHED" if step.cached else f"{prefix} DONE {seconds:.1f}s")

    def _write(self, line: str) -> None:
        print(line, file=self.stream or sys.stderr, flush=True)


class Terminal:
    """Lines of a terminal, drawn anew ten times a second at most; timers go on when no news come.

    Args:
        stream: the terminal; standard error if None.
        size: columns and lines of it.
        clock: seconds, ever growing.
        interval: seconds between two drawings.
        ticking: whether a thread of its own draws when no news come.
        color: whether to colour; ``NO_COLOR`` is respected if None.
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
        self._drawn = 0
        self._next = 0.0
        self._said: list[str] = []
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    def update(self, progress: Progress, event: Event) -> None:
        """Note what changed, and draw if it is time."""
        if event.step is None and event.kind in ("message", "warning"):
            self._said.append(f"{'WARNING: ' if event.kind == 'warning' else ''}{clean(event.text)}")
        if self._ticking and self._thread is None and event.kind != "finished":
            self._thread = threading.Thread(target=self._tick, args=(progress,), name="dockerkit-progress", daemon=True)
            self._thread.start()
        if self._clock() >= self._next:
            self.draw(progress)

    def finish(self, progress: Progress) -> None:
        """Draw the end and leave the cursor below it."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        self.draw(progress)
        if progress.error is not None:
            self._report(progress)
        self.stream.flush()

    def _tick(self, progress: Progress) -> None:
        while not self._end.wait(max(self._interval, 0.05) * 2):
            with progress.lock:
                if progress.ended is None and self._clock() >= self._next:
                    self.draw(progress)

    def draw(self, progress: Progress) -> None:
        """Write what was said above, and the state's lines over those of before."""
        self._next = self._clock() + self._interval
        columns, rows = self._size()
        lines = self.lines(progress, columns, rows)
        out = [f"\x1b[{self._drawn}A" if self._drawn else "", "\r"]
        out += [f"\x1b[2K{clip(line, columns - 1)}\n" for line in self._said]
        out += [f"\x1b[2K{line}\n" for line in lines]
        out.append("\x1b[J")
        self._said.clear()
        self._drawn = len(lines)
        self.stream.write("".join(out))
        self.stream.flush()

    def lines(self, progress: Progress, columns: int, rows: int) -> list[str]:
        """The lines that show the state on a terminal of that size."""
        now = progress.clock()
        width = max(columns - 1, 10)
        steps = list(progress.steps.values())
        blocks = [self._block(step, now, width, progress.ended is not None) for step in steps]
        room = max(rows - 2, 1)
        hidden = 0
        order = sorted(range(len(blocks)), key=lambda place: (not steps[place].done, place))
        while hidden < len(order) and sum(map(len, blocks)) + (hidden > 0) > room:
            blocks[order[hidden]] = []  # the oldest that are done go first
            hidden += 1
        lines = [self._paint("1", clip(f"[+] {summary(progress)}", width))]
        if hidden:
            lines.append(clip(f" … {hidden} more", width))
        return lines + [line for block in blocks for line in block]

    def _block(self, step: Step, now: float, width: int, over: bool) -> list[str]:
        if step.kind != "step":
            return [self._layer(step, width)]
        took = f" {time_text(step.seconds(now))}" if step.started is not None else ""
        word = "CACHED " if step.cached else "ERROR " if step.error else ""
        name = clip(f" => {word}{clean(step.name)}", width - len(took))
        line = name + " " * (width - width_of(name) - len(took)) + took
        block = [self._paint("31" if step.error else "34" if step.done else "", line)]
        if step.done or over:
            return block
        busy = [part for part in step.parts.values() if not part.done]
        block += [clip(f" => => {clean(part.name)} {amount_text(part.current, part.total)}", width) for part in busy]
        block += [self._paint("2", clip(f" => => # {clean(line)}", width)) for line in list(step.log)[-_LOG_TAIL:]]
        return block

    def _layer(self, step: Step, width: int) -> str:
        label = f"{clean(step.id)}: {clean(step.status)}" if step.kind == "layer" else clean(step.name)
        amount = "" if step.done and step.kind == "layer" else amount_text(step.current, step.total)
        bar = ""
        if step.total and not step.done and width > 60:
            cells = 50 if width > 110 else 20
            filled = int(cells * min((step.current or 0) / step.total, 1.0))
            bar = "[" + "=" * max(filled - 1, 0) + (">" if filled else "") + " " * (cells - filled) + "]"
        return clip("  ".join(part for part in (label, bar, amount) if part), width)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and code else text

    def _report(self, progress: Progress) -> None:
        """After a failure: the last lines of the steps that failed, and why."""
        for step in progress.steps.values():
            if step.error and step.log:
                tail = [f"   {clean(line)}" for line in list(step.log)[-10:]]
                self.stream.write("\n".join(["------", f" > {clean(step.name)}:", *tail, "------", ""]))
        self.stream.write(self._paint("31", f"ERROR: {clean(progress.error or '')}") + "\n")
