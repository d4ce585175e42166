"""Progress display with rich (extra "progress")."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from dockerkit.progress.state import Event, Progress, Step
from dockerkit.progress.text import LOG_TAIL, clean, failure_lines, step_amount, summary, time_text

__all__ = ["Rich"]


class Rich:
    """Displays a progress state as a live table.

    Args:
        console: rich console; None for standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._rendered = Table()

    def update(self, progress: Progress, event: Event) -> None:
        """Record the change; rich redraws ten times a second."""
        if self._live is None:
            self._live = Live(console=self._console, get_renderable=lambda: self._draw(progress), refresh_per_second=10)
            self._live.start()
        if event.step is None and event.kind in ("message", "warning"):
            self._live.console.print(escape(clean(event.text)), style="yellow" if event.kind == "warning" else "")

    def _draw(self, progress: Progress) -> Table:
        # rich calls this with its lock held, and update() is called with the state's lock: waiting here could deadlock.
        if progress.lock.acquire(blocking=False):
            try:
                self._rendered = _table(progress)
            finally:
                progress.lock.release()
        return self._rendered

    def finish(self, progress: Progress) -> None:
        """Draw the final state and release the terminal."""
        if self._live is not None:
            self._live.stop()
        if progress.error is not None:
            for line in failure_lines(progress):
                self._console.print(escape(line), highlight=False)
            self._console.print(escape(clean(progress.error)), style="red")


def _table(progress: Progress) -> Table:
    table = Table(box=None, show_header=False, expand=True, title=escape(summary(progress)), title_justify="left")
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for _ in ("state", "bar", "time"):
        table.add_column(no_wrap=True)
    now = progress.clock()
    for step in progress.steps.values():
        name = step.id if step.kind == "layer" else step.name
        duration = time_text(step.seconds(now)) if step.started is not None else ""
        bar = ProgressBar(total=1.0, completed=step.fraction, width=30) if step.total else ""
        table.add_row(escape(clean(name)), escape(clean(_state(step))), bar, duration)
        if step.kind == "step" and not step.done and progress.ended is None:
            for line in list(step.log)[-LOG_TAIL:]:
                table.add_row(f"  {escape(clean(line))}", style="dim")
    return table


def _state(step: Step) -> str:
    if step.error:
        return "failed"  # finish() prints why
    if step.done:
        return step.status or ("cached" if step.cached else "done")
    return f"{step.status} {step_amount(step)}"
