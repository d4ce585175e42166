"""A progress state on rich, for programs that print with it (extra "progress")."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from dockerkit.progress_display import amount_text, clean, summary, time_text
from dockerkit.progress_state import Event, Progress, Step

__all__ = ["Rich"]


class Rich:
    """Shows a state as a live table.

    Args:
        console: rich's console; one on standard error if None.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live: Live | None = None

    def update(self, progress: Progress, event: Event) -> None:
        """Note the change; rich draws ten times a second."""
        if self._live is None:
            self._live = Live(console=self._console, get_renderable=lambda: _table(progress), refresh_per_second=10)
            self._live.start()
        if event.step is None and event.kind in ("message", "warning"):
            self._live.console.print(escape(clean(event.text)), style="yellow" if event.kind == "warning" else "")

    def finish(self, progress: Progress) -> None:
        """Draw the end and give the terminal back."""
        if self._live is not None:
            self._live.stop()
        if progress.error is not None:
            self._console.print(escape(clean(progress.error)), style="red")


def _table(progress: Progress) -> Table:
    with progress.lock:
        return _table_of(progress)


def _table_of(progress: Progress) -> Table:
    table = Table(box=None, show_header=False, title=escape(summary(progress)), title_justify="left")
    now = progress.clock()
    for step in progress.steps.values():
        name = step.id if step.kind == "layer" else step.name
        took = time_text(step.seconds(now)) if step.started is not None else ""
        bar = ProgressBar(total=1.0, completed=step.fraction, width=30) if step.total else ""
        table.add_row(escape(clean(name)), escape(clean(_state(step))), bar, took)
    return table


def _state(step: Step) -> str:
    if step.error:
        return step.error
    if step.done:
        return step.status or ("cached" if step.cached else "done")
    return f"{step.status or (step.log[-1] if step.log else '')} {amount_text(step.current, step.total)}"
