"""Progress of pulls, pushes, loads, saves, builds and copies: one state, fed by records or events, shown by displays.

The state does not depend on displays::

    state = Progress("Pulling alpine")
    state.feed(record)                     # records of pull, push, load, import, plugin pull, classic build
    state.percent, state.eta, state.steps

Sources without such records (BuildKit's trace, copies of files) call these methods:

- ``step_planned(id, name)``: announce a step; a name such as ``[stage 2/3] RUN make`` also gives their number.
- ``step_started(id, name, at=None)``: a step started or restarted. ``at``: seconds by the engine's clock, if known.
- ``step_status(id, part, name, current=None, total=None, done=False)``: a part of a step, such as one download in it.
- ``step_log(id, text, stream=1)``: output of a step, in blocks of any size, str or bytes; it is split into lines.
- ``step_done(id, cached=False, error=None, at=None)``: a step ended.
- ``amount(id, current, total=None, name=None)``: bytes transferred by a layer or a transfer.
- ``layer(id, status, current=None, total=None, detail="")``: the Engine's status of a layer.
- ``message(text)``, ``warning(text)``: about the whole; ``failed(text)``: the operation failed; ``finish()``: it ended.

Two helpers connect a stream with a display, and cost nothing without one::

    for record in watch(stream, progress, "Pulling alpine"): ...     # progress: True, "plain", a function, None…
    with track_operation(progress, "Building app") as state: state.step_started(...)

A state may be read while another thread feeds it: hold ``state.lock`` for consistent reads of several attributes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from dockerkit._lazy import lazy_names
from dockerkit.errors import InvalidArgument
from dockerkit.progress.state import Event, Part, Progress, Renderer, Step

__all__ = [
    "Event",
    "Part",
    "Progress",
    "ProgressSpec",
    "Renderer",
    "Step",
    "renderer",
    "track_operation",
    "watch",
    "watch_bytes",
]

Record = TypeVar("Record", bound=Mapping[str, Any])

ProgressSpec: TypeAlias = (
    "bool | Literal['auto', 'tty', 'plain', 'html', 'rich', 'quiet'] | Callable[[Progress], object] | Renderer | None"
)
"""Progress display: True or "auto" (chosen by where the program runs), "tty", "plain" (lines), "html" (notebooks),
"rich" (requires the extra "progress"), a function called with the state at each change, a Renderer, or None."""


class _Callback:
    """Calls the user's function with the state at each change."""

    def __init__(self, function: Callable[[Progress], object]) -> None:
        self._function = function

    def update(self, progress: Progress, event: Event) -> None:
        self._function(progress)

    def finish(self, progress: Progress) -> None:
        """Do nothing: the event "finished" was already passed on."""


def renderer(spec: ProgressSpec) -> Renderer | None:
    """Return the renderer for a ``progress=`` argument; None to show nothing.

    Args:
        spec: see :data:`ProgressSpec`.

    Raises:
        InvalidArgument: the value is invalid, or "rich" is not installed.
    """
    if spec is None or spec is False or spec == "quiet":
        return None
    if isinstance(spec, str) or spec is True:
        from dockerkit.progress.display import display

        return display("auto" if spec is True else spec)
    if callable(getattr(spec, "update", None)) and callable(getattr(spec, "finish", None)):
        return spec  # type: ignore[return-value]  # recognized by its methods, like any protocol
    if callable(spec):
        return _Callback(spec)
    raise InvalidArgument(
        f"progress: must be True, 'auto', 'tty', 'plain', 'html', 'rich', 'quiet', a function or None, got {spec!r}"
    )


@contextlib.contextmanager
def track_operation(spec: ProgressSpec, title: str = "") -> Iterator[Progress]:
    """Yield a state that is displayed until the block ends. An exception in the block is displayed as the failure."""
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
    """Yield the records unchanged and display their progress. Closing the iterator early ends the display."""
    if spec is None or spec is False:
        yield from records
        return
    with track_operation(spec, title) as state:
        for record in records:
            state.feed(record)
            yield record


def watch_bytes(
    chunks: Iterable[bytes], spec: ProgressSpec, title: str = "", total: int | None = None
) -> Iterator[bytes]:
    """Yield the chunks unchanged and display the transferred bytes.

    Args:
        chunks: data.
        spec: see :data:`ProgressSpec`.
        title: title of the display.
        total: total number of bytes, if known.
    """
    if spec is None or spec is False:
        yield from chunks
        return
    with track_operation(spec, title) as state:
        done = 0
        state.amount(title, done, total)
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            state.amount(title, done, total)


if TYPE_CHECKING:
    following = track_operation
else:
    __getattr__, __dir__ = lazy_names(__name__, renamed={"following": "track_operation"})
