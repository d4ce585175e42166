"""What a pull, push, load, save, build or copy is doing: one state, fed by records or events, shown by whoever likes.

The state knows nothing of displays::

    state = Progress("Pulling alpine")
    state.feed(record)                     # records of pull, push, load, import, plugin pull, classic build
    state.percent, state.eta, state.steps  # what one wants to know

Who has no such records (BuildKit's trace, copies of files) tells it in these words:

- ``step_started(id, name, at=None)``: a step began, or began once more. ``at``: seconds by the engine's clock, if known.
- ``step_status(id, part, name, current=None, total=None, done=False)``: a part of a step, such as one download in it.
- ``step_log(id, text, stream=1)``: output of a step, in pieces of any size, str or bytes; it is cut in lines here.
- ``step_done(id, cached=False, error=None, at=None)``: a step came to its end.
- ``amount(id, current, total=None, name=None)``: bytes done by a layer or a transfer.
- ``layer(id, status, current=None, total=None)``: the Engine's own words about a layer.
- ``message(text)``, ``warning(text)``: said once; ``failed(text)``: all is over; ``finish()``: the end, good or bad.

Two helpers connect a stream with a display, and cost nothing when none is wanted::

    for record in watch(stream, progress, "Pulling alpine"): ...     # progress: True, "plain", a function, None…
    with following(progress, "Building app") as state: state.step_started(...)

A state may be read while it is fed by another thread: hold ``state.lock`` for more than one look.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

from dockerkit.errors import InvalidArgument
from dockerkit.progress_state import Event, Part, Progress, Renderer, Step

__all__ = [
    "Event",
    "Part",
    "Progress",
    "ProgressSpec",
    "Renderer",
    "Step",
    "following",
    "renderer",
    "watch",
    "watch_bytes",
]

Record = TypeVar("Record", bound=Mapping[str, Any])

ProgressSpec: TypeAlias = (
    "bool | Literal['auto', 'tty', 'plain', 'html', 'rich', 'quiet'] | Callable[[Progress], object] | Renderer | None"
)
"""How progress is shown: True or "auto" (what fits where the program runs), "tty", "plain" (lines), "html" (notebooks),
"rich" (needs the extra of that name), a function called with the state at each change, a Renderer, or None."""


class _Callback:
    """Calls a function of the user's with the state at each change."""

    def __init__(self, function: Callable[[Progress], object]) -> None:
        self._function = function

    def update(self, progress: Progress, event: Event) -> None:
        self._function(progress)

    def finish(self, progress: Progress) -> None:
        """The event "finished" told it already."""


def renderer(spec: ProgressSpec) -> Renderer | None:
    """The renderer for a ``progress=`` argument; None where nothing is to be shown.

    Args:
        spec: see :data:`ProgressSpec`.

    Raises:
        InvalidArgument: it is none of those, or "rich" without the extra.
    """
    if spec is None or spec is False or spec == "quiet":
        return None
    if isinstance(spec, str) or spec is True:
        from dockerkit.progress_display import display

        return display("auto" if spec is True else spec)
    if callable(getattr(spec, "update", None)) and callable(getattr(spec, "finish", None)):
        return spec  # type: ignore[return-value]  # told by its methods, as protocols are
    if callable(spec):
        return _Callback(spec)
    raise InvalidArgument(
        f"progress: {spec!r} is none of True, 'auto', 'tty', 'plain', 'html', 'rich', 'quiet', a function, None"
    )


@contextlib.contextmanager
def following(spec: ProgressSpec, title: str = "") -> Iterator[Progress]:
    """A state that is shown as ``spec`` says until the block ends; an exception in it is shown as the failure."""
    state = Progress(title, renderer(spec))
    try:
        yield state
    except BaseException as error:
        if state.error is None and not isinstance(error, GeneratorExit):
            state.failed(str(error) or type(error).__name__)
        raise
    finally:
        state.finish()


def watch(records: Iterable[Record], spec: ProgressSpec, title: str = "") -> Iterator[Record]:
    """The same records, shown as they pass. Closing the result early ends the display."""
    if spec is None or spec is False:
        yield from records
        return
    with following(spec, title) as state:
        for record in records:
            state.feed(record)
            yield record


def watch_bytes(
    chunks: Iterable[bytes], spec: ProgressSpec, title: str = "", total: int | None = None
) -> Iterator[bytes]:
    """The same chunks, their amount shown as they pass.

    Args:
        chunks: the data.
        spec: see :data:`ProgressSpec`.
        title: what it is.
        total: how many bytes there will be, if known.
    """
    if spec is None or spec is False:
        yield from chunks
        return
    with following(spec, title) as state:
        done = 0
        state.amount(title, done, total)
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            state.amount(title, done, total)
